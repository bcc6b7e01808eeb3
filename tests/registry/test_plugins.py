"""A third party's plugin, in a distribution of its own: installed, discovered, run."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from pgvigil_checks import CHECKS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    import psycopg

    Python = Callable[..., subprocess.CompletedProcess[str]]

LOAD = """
import json, sys
from pgvigil.errors import PgvigilError
from pgvigil.registry import Registry
try:
    registry = Registry.load()
except PgvigilError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_status)
print(json.dumps({name: registry.distribution(name) for name in registry.types}))
"""

TICK = """
import json, sys
from dataclasses import replace
from pgvigil.assembly import build_watch
from pgvigil.config import load
from pgvigil.engine import Engine
from pgvigil.logs import configure
from pgvigil.metrics import Counters
from pgvigil.registry import Registry
from pgvigil.runner import Runner, RunLimits
from pgvigil.store import Store

configure()
config = load(sys.argv[1])
watch = build_watch(config, "t", Registry.load())
watch = replace(watch, runner=Runner(watch.target, RunLimits(run_timeout=1.5)))
with Store.open(config.state.get_secret_value()) as store:
    store.lead()
    engine = Engine(store, Counters(), [watch])
    for check in watch.checks:
        engine.tick("t", check)
    for run in (stored.run for stored in store.runs()):
        print(json.dumps([run.check, run.subject, run.outcome, run.error]))
    engine.stop()
"""


def test_a_plugin_is_found_beside_the_built_in_checks(python: Python) -> None:
    result = python(LOAD, ["empties"])
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert list(found) == [*(check.name for check in CHECKS), "empty_tables"]
    assert found.pop("empty_tables") == "pgvigil-empties 1.2.3"
    assert set(found.values()) == {f"pgvigil {version('pgvigil')}"}


def test_what_a_plugin_prints_stays_off_standard_output(python: Python) -> None:
    result = python(LOAD, ["empties"])
    assert "a plugin may be talkative" in result.stderr
    assert "talkative" not in result.stdout


COMPLAINTS = {
    "unimportable": """\
pgvigil-unimportable 2.0: entry point unimportable = pgvigil_unimportable:Check cannot be imported: \
ModuleNotFoundError: No module named 'a_library_that_is_not_installed'
""",
    "formless": """\
pgvigil-formless 0.1: pgvigil_formless.Formless breaks the plugin contract: \
name must be snake_case text of at most 63 characters, got None
""",
    "impostor": f"""\
pgvigil-impostor 3.1: check orphan_rows is already there, brought by pgvigil {version("pgvigil")}: \
uninstall one of them
""",
}


CROOKED = {
    "raises": "crashed: KeyError",
    "exits": "crashed: SystemExit",
    "hangs": "did not return within 1.5 s",
    "babbles": "not Examined or Skipped",
    "writes": "read-only transaction",
    "gets_lost": "crashed in discover: ZeroDivisionError",
}


@pytest.mark.parametrize(("plugin", "complaint"), COMPLAINTS.items())
def test_a_plugin_that_cannot_be_used_stops_the_start_in_one_line(
    python: Python, plugin: str, complaint: str
) -> None:
    result = python(LOAD, ["empties", plugin])
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.removeprefix("a plugin may be talkative\n") == complaint


@pytest.fixture
def tick(
    python: Python, tmp_path: Path, database: str, admin_conn: psycopg.Connection
) -> Callable[..., dict[tuple[str, str], list[str | None]]]:
    """`tick(plugins, checks)`: the outcome and error of every run of one tick of each check."""
    admin_conn.execute("CREATE TABLE few AS SELECT generate_series(1, 3)")
    admin_conn.execute("CREATE TABLE many AS SELECT generate_series(1, 30)")

    def tick(plugins: list[str], checks: dict[str, object]) -> dict[tuple[str, str], list[str | None]]:
        config = tmp_path / "pgvigil.yaml"
        config.write_text(
            json.dumps(
                {
                    "state": f"sqlite:///{tmp_path}/state.db",
                    "targets": {"t": {"dsn": database, "budget": {"duty_cycle": 1}, "checks": checks}},
                }
            )
        )
        result = python(TICK, plugins, str(config))
        assert result.returncode == 0, result.stderr
        runs = [json.loads(line) for line in result.stdout.splitlines()]
        return {(check, subject): rest for check, subject, *rest in runs}

    return tick


def test_a_plugin_runs_with_its_settings(
    tick: Callable[..., dict[tuple[str, str], list[str | None]]],
) -> None:
    runs = tick(["empties"], {"empty_tables": {"at_least": 10}})
    assert runs["empty_tables", "public.few"] == ["fail", None]
    assert runs["empty_tables", "public.many"] == ["pass", None]


def test_plugins_that_misbehave_stop_nobody_else(
    tick: Callable[..., dict[tuple[str, str], list[str | None]]], admin_conn: psycopg.Connection
) -> None:
    runs = tick(["crooked", "empties"], {})
    assert runs["empty_tables", "public.few"] == ["pass", None]
    crooked = {check: rest for (check, _), rest in runs.items()}
    assert {check: outcome for check, (outcome, _) in crooked.items() if check in CROOKED} == {
        "raises": "error",
        "exits": "error",
        "hangs": "timeout",
        "babbles": "error",
        "writes": "error",
        "gets_lost": "error",
    }
    for check, reason in CROOKED.items():
        assert reason in str(crooked[check][1])
    assert admin_conn.execute("SELECT count(*) FROM few").fetchone() == (3,)
