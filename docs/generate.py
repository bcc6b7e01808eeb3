"""Writes the pages of docs/reference that are made from the code: `make docs`; `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from inspect import Parameter, cleandoc, signature
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from pgvigil.check import Params, describe
from pgvigil.cli.main import app
from pgvigil.config import json_schema
from pgvigil.registry import Registry

REFERENCE = Path(__file__).parent / "reference"
MADE = "<!-- Made by `make docs` from the code; edits are lost. -->\n\n"

COMMANDS = """\
Exit status of `check`: 0 everything examined and clean; 1 findings at or above `--fail-on`; 2 wrong usage or
configuration; 3 something could not be examined, or there was nothing to examine, and nothing worse was
found. One that is interrupted reports what it has judged by then, says so, and exits with 130 after Ctrl-C
(SIGINT), 143 after SIGTERM, whatever it found. Every other command exits with 0 when it did what it was asked
for, else with 2 or 3 in the same sense, and 130 after Ctrl-C; `run` exits with 0 when it is told to stop.
Results go to stdout, everything else to stderr.
"""

CHECKS = """\
`pgvigil checks NAME` prints the same for every check that is installed, also for those of other packages.

## Settings of every check
"""

CONFIGURATION = """\
A YAML file (YAML 1.2's core schema). Everything has a default but a target's `dsn`. Unknown keys, duplicate
keys and wrong types are errors, each with file, line and path. `!env NAME` (or `!env [NAME, default]`) and
`!file PATH` keep secrets out of the file. `pgvigil config check FILE` validates, `pgvigil config schema`
prints the JSON Schema for your editor, `pgvigil init --dsn DSN` writes a commented file to start from.
"""

SECTIONS = (
    "TargetSettings StandbySettings Schemas Budget Pause Web Token Notify Alertmanager Log Retention".split()
)

Schema = dict[str, Any]


def cli_page() -> str:
    """Describe every command from its signature and docstring."""
    lines = ["# Commands\n", COMMANDS]
    nested = [(f"pgvigil {group.name}", group.typer_instance) for group in app.registered_groups]
    for path, group in [("pgvigil", app), *nested]:
        for command in group.registered_commands:
            lines += _command(f"{path} {command.name}", command.callback)
    return "\n".join(lines)


def _command(path: str, callback: Any) -> Iterator[str]:
    hints = get_type_hints(callback, include_extras=True)
    defaults = {name: parameter.default for name, parameter in signature(callback).parameters.items()}
    parameters = {name: hint for name, hint in hints.items() if name != "return"}
    arguments = [info.metavar for info in map(_info, parameters.values()) if isinstance(info, ArgumentInfo)]
    yield f"## `{' '.join([path, *arguments])}`\n"
    yield f"{cleandoc(callback.__doc__)}\n"
    options = {name: hint for name, hint in parameters.items() if isinstance(_info(hint), OptionInfo)}
    if options:
        yield "| option | meaning |"
        yield "|---|---|"
        for name, hint in options.items():
            yield _option(name, hint, defaults[name])
        yield ""


def _info(hint: Any) -> Any:
    return get_args(hint)[1]


def _option(name: str, hint: Any, default: object) -> str:
    info = _info(hint)
    value = f" {info.metavar}" if info.metavar else ""
    # Inside Annotated, typer takes an option's first name for its default.
    declared = [info.default, *info.param_decls] if isinstance(info.default, str) else [_flag(name)]
    names = ", ".join(f"`{one}{value}`" for one in declared)
    meaning = info.help or ""
    if get_origin(get_args(hint)[0]) is Literal:
        meaning += f" One of {', '.join(f'`{choice}`' for choice in get_args(get_args(hint)[0]))}."
    if default is Parameter.empty:
        meaning += " Required."
    elif default not in (None, False, True):
        meaning += f" Default: `{default}`."
    if info.envvar:
        meaning += f" Environment: `{info.envvar}`."
    return f"| {names} | {_cell(meaning)} |"


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def checks_page() -> str:
    """Describe every built-in check from its docstring and its settings."""
    registry = Registry.load()
    lines = ["# Built-in checks\n", CHECKS, *_settings(Params.model_json_schema())]
    for name, check in registry.types.items():
        description = describe(check)
        lines += [
            f"## {name}\n",
            f"{description.summary}\n",
            f"**Proves.** {_sentence(description.proves)}\n",
            f"**Cost.** {_sentence(description.cost)}\n",
            f"**False positives.** {_sentence(description.false_positives)}\n",
            f"**Remedy.** {_sentence(description.remedy)}\n",
            *_own_settings(check.params_type),
        ]
    return "\n".join(lines)


def _own_settings(params: type[Params]) -> Iterator[str]:
    """Describe what a check understands beyond the settings of every check, and the sections within."""
    schema = params.model_json_schema()
    own = {key: value for key, value in schema["properties"].items() if key not in Params.model_fields}
    if not own:
        return
    yield from _settings({**schema, "properties": own})
    for name, section in schema.get("$defs", {}).items():
        if "properties" in section:
            yield f"A {name.lower()}:\n"
            yield from _settings(section)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def configuration_page() -> str:
    """Describe every key of a configuration file from its JSON Schema."""
    registry = Registry.load()
    schema = json_schema(registry.params_types)
    definitions = schema["$defs"]
    lines = [
        "# Configuration\n",
        CONFIGURATION,
        "## Top level\n",
        *_settings(schema, definitions),
    ]
    for name in SECTIONS:
        section = definitions[name]
        lines += [f"## {name.removesuffix('Settings')}\n", f"{_first(section)}\n"]
        lines += _settings(section, definitions)
    lines.append("The settings of the checks are on the page of the [checks](checks.md).\n")
    return "\n".join(lines)


def _first(section: Schema) -> str:
    return str(section.get("description", "")).split("\n\n")[0]


def _settings(schema: Schema, definitions: Schema | None = None) -> Iterator[str]:
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    required = schema.get("required", [])
    for key, value in schema.get("properties", {}).items():
        default = "required" if key in required else _default(value)
        # A section whose description is that of its model has no description of its own.
        model = (definitions or {}).get(str(value.get("$ref", "")).rpartition("/")[2], {})
        cells = (f"`{key}`", _kind(value), default, value.get("description") or _first(model))
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
