"""Loose foreign keys as GitLab writes them down: child tables with their parents and a column for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pgvigil.imports.fitting import Named, Written

_KEEPING = "update_column_to"


def loose_keys(document: Mapping[str, Any]) -> Iterator[Written]:
    """Yield the relations of a `gitlab_loose_foreign_keys.yml`; they refer to primary keys.

    Raises ValueError about the first entry that is none.
    """
    for child, keys in document.items():
        if not isinstance(keys, list | None):
            raise ValueError(f"{child}: expected a list of keys, each with `table` and `column`")
        for position, key in enumerate(keys or ()):
            where = f"{child}[{position}]"
            for name in ("table", "column"):
                if not isinstance(key, Mapping) or name not in key:
                    raise ValueError(f"{where}: has no `{name}`")
            yield Written(
                where=where,
                child=_named(str(child)),
                child_column=str(key["column"]),
                parent=_named(str(key["table"])),
                reason=_reason(key),
            )


def _named(text: str) -> Named:
    schema, _, name = text.rpartition(".")
    return Named(name, schema)


def _reason(key: Mapping[str, Any]) -> str:
    if key.get("conditions"):
        return "holds under conditions, which no relation of pgvigil has"
    if key.get("on_delete") == _KEEPING:
        return f"on_delete is {_KEEPING}: rows without a parent are meant to stay"
    return ""
