"""`pgvigil checks`: what is installed, and what each check proves, costs and can get wrong."""

from __future__ import annotations

import json
import sys
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pgvigil.check import Check, describe
from pgvigil.config import near_match
from pgvigil.errors import UsageError
from pgvigil.registry import Registry


def show(name: str | None, output: Literal["text", "json"]) -> None:
    """Print all checks, or one with its settings."""
    registry = Registry.load()
    if name is not None and name not in registry.types:
        near = near_match(name, registry.types)
        raise UsageError(f"no check {name}{near or ': pgvigil checks lists them'}")
    chosen = {name: registry.types[name]} if name else registry.types
    if output == "json":
        documents = [_document(registry, one) for one in chosen.values()]
        sys.stdout.write(json.dumps(documents[0] if name else documents, indent=2, ensure_ascii=False) + "\n")
        return
    console = Console(highlight=False)
    if name:
        _print_one(registry, registry.types[name], console)
    else:
        _print_all(registry, console)


def _document(registry: Registry, check: type[Check[Any]]) -> dict[str, Any]:
    description = describe(check)
    return {
        "name": check.name,
        "distribution": registry.distribution(check.name),
        "summary": description.summary,
        "proves": description.proves,
        "cost": description.cost,
        "false_positives": description.false_positives,
        "remedy": description.remedy,
        "settings": check.params_type.model_json_schema(),
    }


def _print_all(registry: Registry, console: Console) -> None:
    for check in registry.types.values():
        description = describe(check)
        console.print(Text.assemble((check.name, "bold"), f"  ({registry.distribution(check.name)})"))
        console.print(Text(f"  {description.summary}\n"))
    console.print(
        Text("pgvigil checks NAME tells what one proves, costs and can get wrong, and its settings.")
    )


def _print_one(registry: Registry, check: type[Check[Any]], console: Console) -> None:
    description = describe(check)
    console.print(Text.assemble((check.name, "bold"), f"  ({registry.distribution(check.name)})"))
    console.print(Text(description.summary))
    sections = {
        "Proves": description.proves,
        "Cost": description.cost,
        "False positives": description.false_positives,
        "Remedy": description.remedy,
    }
    for title, text in sections.items():
        console.print(Text.assemble("\n", (title, "bold"), f"\n{text}"))
    console.print(Text("\nSettings", style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for key, field in check.params_type.model_fields.items():
        table.add_row(Text(field.alias or key, style="cyan"), Text(field.description or ""))
    console.print(table)
