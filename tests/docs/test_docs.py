"""What the documentation says is so: its links lead somewhere, its examples work, its tables are complete."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from pgvigil.check import Check, describe
from pgvigil.cli.main import app
from pgvigil.config import json_schema, load
from pgvigil.metrics import Counters, Exposition
from pgvigil.registry import Registry
from pgvigil.store import View

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_reachable_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = LINK.findall(page.read_text(encoding="utf-8"))
        waiting += [page.parent / link for link in links if "://" not in link]
    assert set(PAGES) - reached == set()


def test_generated_pages_are_what_the_code_says() -> None:
    command = [ROOT / ".venv/bin/python", "docs/generate.py", "--check"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_every_metric_is_documented_and_no_other() -> None:
    page = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(pgvigil_\w+)` \| (gauge|counter|histogram) \|", page, re.MULTILINE))
    text = Exposition(Counters()).text(View({}, {}, {}, {})).decode()
    exposed = set(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    assert list(text_string_to_metric_families(text))
    assert documented == exposed


def test_every_command_and_every_check_is_documented() -> None:
    commands = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert f"## `pgvigil {command.name}" in commands
    checks = (ROOT / "docs/reference/checks.md").read_text(encoding="utf-8")
    for name, check in Registry.load().types.items():
        assert f"## {name}\n" in checks
        assert describe(check).summary in checks


@pytest.mark.parametrize(
    ("page", "text"),
    [
        pytest.param(page, text, id=page.name)
        for page in PAGES
        for text in blocks(page, "yaml")
        if "targets" in yaml.compose(text).value[0][0].value
    ],
)
def test_configurations_in_the_docs_load(page: Path, text: str, tmp_path: Path) -> None:
    file = tmp_path / "pgvigil.yaml"
    file.write_text(text, encoding="utf-8")
    # Any name of a variable will do in an example.
    config = load(
        file, dict.fromkeys(re.findall(r"!env (\w+)", text), "x" * 32) | {"GAMES_DSN": "dbname=games"}
    )
    assert Registry.load().bind_all(config)


def test_the_example_of_a_check_fulfils_the_contract() -> None:
    example, *methods = blocks(ROOT / "docs/howto/write-a-check.md", "python")
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, "write-a-check.md", "exec", dont_inherit=True), names)  # noqa: S102 - our own text
    check: type[Check[Any]] = names["NegativeBalances"]
    assert describe(check).false_positives
    assert check(check.params_type()).params.column == "balance"
    for method in methods:
        # Only their words are known to the page: that they are methods of the contract is what can be told.
        (name,) = re.findall(r"^    def (\w+)\(self", method, re.MULTILINE)
        imports = "\n".join(re.findall(r"^    # (from .+)$", method, re.MULTILINE))
        text = f"{imports}\n{dedent(method)}"
        exec(compile(text, "write-a-check.md", "exec", dont_inherit=True), {"Subject": 0, "Verdict": 0})  # noqa: S102
        assert hasattr(Check, name)


def test_every_section_of_a_configuration_file_is_described() -> None:
    definitions = json_schema({})["$defs"]
    sections = {name.removesuffix("Settings") for name, one in definitions.items() if "properties" in one}
    page = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
    assert sections - set(re.findall(r"^## (.+)$", page, re.MULTILINE)) == set()
