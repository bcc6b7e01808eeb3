"""Writes the pages of docs/reference that are made from the code: `make docs`; `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from typer.core import TyperGroup

from pgvigil.check import describe
from pgvigil.cli.main import app
from pgvigil.config import json_schema
from pgvigil.registry import Registry

REFERENCE = Path(__file__).parent / "reference"
MADE = "<!-- Made by `make docs` from the code; edits are lost. -->\n\n"

COMMANDS = """\
Exit status of `check`: 0 everything examined and clean; 1 findings at or above `--fail-on`; 2 wrong usage or
configuration; 3 something could not be examined and nothing worse was found. Every other command exits with 0
when it did what it was asked for, else with 2 or 3 in the same sense, and 130 after Ctrl-C. Results go to
stdout, everything else to stderr.
"""

CHECKS = """\
`pgvigil checks NAME` prints the same for every check that is installed, also for those of other packages.
"""

CONFIGURATION = """\
A YAML file (YAML 1.2's core schema). Everything has a default but a target's `dsn`. Unknown keys, duplicate
keys and wrong types are errors, each with file, line and path. `!env NAME` (or `!env [NAME, default]`) and
`!file PATH` keep secrets out of the file. `pgvigil config check FILE` validates, `pgvigil config schema`
prints the JSON Schema for your editor, `pgvigil init --dsn DSN` writes a commented file to start from.
"""

Schema = dict[str, Any]


def cli_page() -> str:
    """Describe every command from its own help."""
    lines = ["# Commands\n", COMMANDS]
    group = typer.main.get_command(app)
    lines += _commands("pgvigil", group)
    return "\n".join(lines)


def _commands(path: str, command: Any) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, sub in command.commands.items():
            yield from _commands(f"{path} {name}", sub)
        return
    arguments = [
        p.metavar or f"[{p.name.upper()}]" for p in command.params if p.param_type_name == "argument"
    ]
    yield f"## `{' '.join([path, *arguments])}`\n"
    yield f"{command.help.strip()}\n"
    options = [p for p in command.params if p.param_type_name == "option"]
    if options:
        yield "| option | meaning |"
        yield "|---|---|"
        yield from map(_option, options)
        yield ""


def _option(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    meaning = option.help or ""
    choices = getattr(option.type, "choices", None)
    if choices:
        meaning += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
    if option.default not in (None, False, [], ()):
        meaning += f" Default: `{option.default}`."
    if option.envvar:
        meaning += f" Environment: `{option.envvar}`."
    return f"| {names} | {_cell(meaning)} |"


def checks_page() -> str:
    """Describe every built-in check from its docstring and its settings."""
    registry = Registry.load()
    lines = ["# Built-in checks\n", CHECKS]
    for name, check in registry.types.items():
        description = describe(check)
        lines += [
            f"## {name}\n",
            f"{description.summary}\n",
            f"**Proves.** {description.proves}\n",
            f"**Cost.** {description.cost}\n",
            f"**False positives.** {description.false_positives}\n",
            f"**Remedy.** {description.remedy}\n",
            *_settings(check.params_type.model_json_schema()),
        ]
    return "\n".join(lines)


def configuration_page() -> str:
    """Describe every key of a configuration file from its JSON Schema."""
    registry = Registry.load()
    no_models: dict[str, type[BaseModel]] = {}
    schema = json_schema(registry.params_types or no_models)
    definitions = schema["$defs"]
    lines = [
        "# Configuration\n",
        CONFIGURATION,
        "## Top level\n",
        *_settings(schema),
    ]
    for name in ("TargetSettings", "Schemas", "Budget", "Web", "Log", "Retention"):
        section = definitions[name]
        lines += [f"## {name.removesuffix('Settings')}\n", f"{_first(section)}\n", *_settings(section)]
    lines.append("The settings of the checks are on the page of the [checks](checks.md).\n")
    return "\n".join(lines)


def _first(section: Schema) -> str:
    return str(section.get("description", "")).split("\n\n")[0]


def _settings(schema: Schema) -> Iterator[str]:
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    required = schema.get("required", [])
    for key, value in schema.get("properties", {}).items():
        default = "required" if key in required else _default(value)
        cells = (f"`{key}`", _kind(value), default, value.get("description", ""))
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield ""


def _default(value: Schema) -> str:
    default = value.get("default")
    return (
        ""
        if default in (None, {}, [], "")
        else f"`{str(default).lower() if isinstance(default, bool) else default}`"
    )


def _kind(value: Schema) -> str:
    """Write a type in a few words."""
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2].removesuffix("Settings").lower()
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "anyOf" in value:
        return " or ".join(_kind(one) for one in value["anyOf"] if one.get("type") != "null")
    kind = value.get("type", "any")
    if kind == "array":
        return f"list of {_kind(value.get('items', {}))}"
    if kind == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"map of {_kind(value['additionalProperties'])}"
    if value.get("examples"):
        return f"such as `{value['examples'][0]}`"
    return {"string": "text", "integer": "whole number", "boolean": "`true` or `false`"}.get(kind, kind)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": cli_page,
    "checks.md": checks_page,
    "configuration.md": configuration_page,
}


def main() -> None:
    """Write the pages, or exit with 1 when one of them is not what the code says."""
    stale = []
    for name, make in PAGES.items():
        path, text = REFERENCE / name, MADE + make().rstrip() + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"docs/reference is not what the code says ({', '.join(stale)}): run make docs")


if __name__ == "__main__":
    main()
