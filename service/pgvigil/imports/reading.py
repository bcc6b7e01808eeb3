"""Reads the files that relations are imported from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml

from pgvigil.catalog import Catalog
from pgvigil.errors import UsageError
from pgvigil.imports.dbt_manifest import manifest_relations
from pgvigil.imports.dbt_schema import schema_relations
from pgvigil.imports.fitting import Imported, Kind, Written, fitted
from pgvigil.imports.gitlab import loose_keys

KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of files."""


def imported_relations(kind: Kind, path: Path, catalog: Catalog) -> Imported:
    """Return the relations of a file, as far as they fit a catalog, and a line for each that does not.

    Raises UsageError when the file cannot be read, or is something else.
    """
    document = _read(path)
    read: Callable[[Mapping[str, Any]], Iterator[Written]]
    if not isinstance(document, Mapping):
        raise UsageError(f"{path}: expected a mapping, as {_example(kind)} is")
    is_manifest = "nodes" in document and "metadata" in document
    is_schema = "version" in document or bool({"models", "sources", "seeds", "snapshots"} & set(document))
    if kind == "loose-foreign-keys":
        # A child table may be called like a section of dbt's, but never be a number.
        if is_manifest or isinstance(document.get("version"), int | float | str):
            raise UsageError(f"{path}: is a file of dbt: its kind is `dbt`")
        read = loose_keys
    elif is_manifest:
        read = manifest_relations
    elif is_schema:
        read = schema_relations
    else:
        raise UsageError(f"{path}: is neither a manifest.json nor a schema.yml of dbt")
    written: list[Written] = []
    try:
        written.extend(read(document))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"{path}: is not as {_example(kind)} is: {_fault(error, written)}") from None
    return fitted(written, catalog)


def _fault(error: Exception, written: Sequence[Written]) -> str:
    """Say what is wrong with a file, and where: behind what could be read."""
    if isinstance(error, ValueError):
        return str(error)
    behind = f"behind {written[-1].where} " if written else ""
    what = (
        f"there is no `{error.args[0]}`" if isinstance(error, KeyError) else f"something unexpected ({error})"
    )
    return f"{behind}{what}"


def _read(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no text"
        raise UsageError(f"{path}: {reason}") from None
    try:
        # JSON is read as what it is: a manifest has megabytes.
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{path}: {' '.join(str(error).split())[:200]}") from None


def _example(kind: Kind) -> str:
    return "gitlab_loose_foreign_keys.yml" if kind == "loose-foreign-keys" else "dbt's manifest.json"
