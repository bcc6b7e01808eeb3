"""What dbt calls a table in a test: `ref('orders')`, `source('shop', 'orders')`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CALL = re.compile(r"(ref|source)\s*\(([^()]*)\)")
_ARGUMENT = re.compile(
    r"""(?:(?P<name>\w+)\s*=\s*)?(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>[^,\s]+))"""
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A model (with the version that is asked for), or a table of a source."""

    name: str
    source: str = ""
    version: str = ""


def read_reference(text: str) -> Reference | None:
    """Return what a text refers to, in a template or not; None when it is something else."""
    call = _CALL.search(text)
    if call is None:
        return None
    places, named = [], {}
    for match in _ARGUMENT.finditer(call[2]):
        value = next(part for part in (match["single"], match["double"], match["bare"]) if part is not None)
        if match["name"]:
            named[match["name"]] = value
        else:
            places.append(value)
    if not places:
        return None
    if call[1] == "source":
        return Reference(places[-1], source=places[0]) if len(places) == 2 else None
    return Reference(places[-1], version=named.get("v", named.get("version", "")))


def arguments_of(test: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a test's arguments: since dbt 1.10 they may stand in a mapping of their own."""
    inner = test.get("arguments")
    return {**test, **inner} if isinstance(inner, Mapping) else test


def why_not(name: str, test: Mapping[str, Any]) -> str:
    """Say why a test cannot be examined as a relation; empty when it can."""
    config = test.get("config")
    settings = {**test, **config} if isinstance(config, Mapping) else test
    if str(settings.get("enabled", True)).lower() != "true":
        return "is not enabled, or a template decides whether it is"
    where = test.get("where") or settings.get("where")
    if where or name.endswith("relationships_where"):
        return "holds under a condition, which no relation of pgvigil has"
    return ""


def is_relationship(name: str) -> bool:
    """Tell whether a test of this name, with or without its package, is about a relation."""
    return name.rpartition(".")[2] in {"relationships", "relationships_where"}
