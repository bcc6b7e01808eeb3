"""What a subject is made of in the catalog: so it is followed under a new name, and its end explained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from pgvigil.catalog.model import Catalog, ForeignKey, Table
from pgvigil.catalog.names import quote

CatalogObject: TypeAlias = Table | ForeignKey

_TABLE, _CONSTRAINT = "table", "constraint"


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A table or constraint, by its oid, and what it was called when it was last seen."""

    kind: str
    oid: int
    name: str


Lineage: TypeAlias = tuple[Ancestor, ...]


def lineage(objects: Iterable[CatalogObject]) -> Lineage:
    """Return what is remembered of the objects of a subject."""
    return tuple(_ancestor(one) for one in objects)


def written_lineage(lineage: Lineage) -> str:
    """Return a lineage as text, a line each; empty for none. It is the same for the same one."""
    # Not as JSON, which takes longer than all else: it is written for every subject at every tick.
    return "\n".join([f"{one.kind} {one.oid} {one.name}" for one in lineage])


def read_lineage(text: str) -> Lineage:
    """Return the lineage that a text was made of."""
    parts = (line.split(" ", 2) for line in text.splitlines())
    return tuple(Ancestor(kind, int(oid), name) for kind, oid, name in parts)


def oids(text: str) -> tuple[tuple[str, int], ...]:
    """Return what stays the same of a written lineage when things are renamed."""
    return tuple((one.kind, one.oid) for one in read_lineage(text))


def why_gone(lineage: Lineage, catalog: Catalog) -> str:
    """Say why a subject is gone from a catalog: what of it was dropped, or else renamed; empty if unknown."""
    keys = {key.oid: key for key in catalog.foreign_keys}
    now = {
        one: catalog.by_oid(one.oid) if one.kind == _TABLE else keys.get(one.oid)
        for one in sorted(lineage, key=lambda one: one.kind, reverse=True)
    }
    dropped = [one for one, found in now.items() if found is None]
    if dropped:
        return f"{dropped[0].kind} {dropped[0].name} was dropped"
    names = {one: _ancestor(found).name for one, found in now.items() if found is not None}
    renamed = [(one, name) for one, name in names.items() if name != one.name]
    return f"{renamed[0][0].kind} {renamed[0][0].name} was renamed to {renamed[0][1]}" if renamed else ""


def _ancestor(one: CatalogObject) -> Ancestor:
    if isinstance(one, Table):
        return Ancestor(_TABLE, one.oid, _on_one_line(str(one)))
    return Ancestor(_CONSTRAINT, one.oid, _on_one_line(f"{one.child}/{quote(one.name)}"))


def _on_one_line(name: str) -> str:
    return name if name.isprintable() else ascii(name)[1:-1]
