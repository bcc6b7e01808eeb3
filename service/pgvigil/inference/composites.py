"""Candidates of several columns: those of a parent's composite key, found together in another table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pgvigil.catalog import Table, TableName, quote
from pgvigil.inference.candidate import Candidate, Reason
from pgvigil.inference.circumstances import nearness
from pgvigil.inference.comparable import part_family
from pgvigil.inference.forms import How, unwrapped
from pgvigil.inference.landscape import CompositeKey, Landscape
from pgvigil.inference.reading import Ending
from pgvigil.inference.words import glue, split

# Of the tables that have a name, so many are looked at: every table may have a `tenant_id`.
_MOST_CHILDREN = 400
# A name that more tables have means the same within one schema at most.
_EVERYWHERE = 24

Columns = Mapping[str, tuple[str, str]]
"""A table's columns by their glued words: name as it is, and what it is compared as."""


def composite_candidates(landscape: Landscape) -> Iterator[Candidate]:
    """Yield the tables that have all columns of another one's composite key, by equal names or nearly so.

    The rarest name of each key leads to its children, so that no two tables are compared for nothing.
    """
    columns = {table.oid: _columns(table) for table in landscape.tables}
    having: defaultdict[str, list[Table]] = defaultdict(list)
    for table in landscape.tables:
        for name in columns[table.oid]:
            having[name].append(table)
    for keys in landscape.composites.values():
        for key in keys:
            for child in _children(landscape, key, having):
                pairing = _paired(landscape, child, key, columns[child.oid])
                if pairing is not None and _may_refer(landscape, child, pairing):
                    yield _candidate(landscape, child, pairing, key)


@dataclass(frozen=True, slots=True)
class _Pairing:
    columns: tuple[str, ...]
    named: bool
    """Whether one of them names the parent, as `event_id` does for `events(id, at)`."""
    equal: int
    """How many have the same name on both sides."""


def _columns(table: Table) -> Columns:
    return {
        glue(split(column.name)): (column.name, kind)
        for column in table.columns
        if (kind := part_family(column))
    }


def _children(landscape: Landscape, key: CompositeKey, having: Mapping[str, list[Table]]) -> list[Table]:
    """Return the tables that have the key's rarest name, or one that the parent's name is a part of."""
    rarest = min((having.get(glue(split(part)), []) for part in key.columns), key=len)
    if len(rarest) > _EVERYWHERE:
        rarest = [table for table in rarest if table.schema == key.table.schema][:_MOST_CHILDREN]
    names = [name for part in key.columns for name in _part_names(landscape, key, part)]
    named = [table for name in names for table in having.get(name, [])[:_MOST_CHILDREN]]
    return list({table.oid: table for table in (*rarest, *named)}.values())


def _part_names(landscape: Landscape, key: CompositeKey, part: str) -> list[str]:
    """Return what a part is called elsewhere: behind the table's name, `event_id` for `events(id, …)`."""
    core = unwrapped(landscape.words[key.table.oid])
    return [glue((*core[start:], *split(part))) for start in range(len(core))]


def _paired(landscape: Landscape, child: Table, key: CompositeKey, columns: Columns) -> _Pairing | None:
    """Find for each part of a key the child's column that it goes with; None when one is missing."""
    if child.oid == key.table.oid:
        return None
    found, named, equal = [], False, 0
    for part, kind in zip(key.columns, key.families, strict=True):
        behind = next(
            (name for name in _part_names(landscape, key, part) if columns.get(name, ("", ""))[1] == kind),
            None,
        )
        own = columns.get(glue(split(part)))
        if behind is not None and (own is None or _is_own_key(child, own[0])):
            found.append(columns[behind][0])
            named = True
        elif own is not None and own[1] == kind:
            found.append(own[0])
            equal += 1
            named = named or _names_the_parent(landscape, child, own[0], key)
        elif (only := _only_one_of(landscape, key, kind, columns)) is not None:
            found.append(only)
        else:
            return None
    return _Pairing(tuple(found), named, equal) if len(set(found)) == len(found) else None


def _only_one_of(landscape: Landscape, key: CompositeKey, kind: str, columns: Columns) -> str | None:
    """Return the column that begins with the parent's name, as `event_at` does, if it is the only one."""
    thing = glue(unwrapped(landscape.words[key.table.oid]))
    fitting = [name for glued, (name, of) in columns.items() if of == kind and glued.startswith(thing)]
    return fitting[0] if len(fitting) == 1 else None


def _is_own_key(child: Table, column: str) -> bool:
    return any(column in key.columns and key.primary for key in child.keys)


def _names_the_parent(landscape: Landscape, child: Table, column: str, key: CompositeKey) -> bool:
    return any(
        form.table.oid == key.table.oid and form.how in (How.FULL, How.BARE)
        for reading in landscape.readings(split(column))
        if reading.ending is not Ending.NONE
        for form in landscape.forms.called(glue(reading.stem), child)
    )


def _may_refer(landscape: Landscape, child: Table, pairing: _Pairing) -> bool:
    """Leave out what holds already, and what an ancestor gave."""
    if (TableName(child.schema, child.name), frozenset(pairing.columns)) in landscape.bound:
        return False
    inherited = landscape.inherited.get(child.oid, frozenset())
    return not inherited.issuperset(pairing.columns)


def _candidate(landscape: Landscape, child: Table, pairing: _Pairing, key: CompositeKey) -> Candidate:
    reasons = (*_reasons(landscape, child, pairing, key), *nearness(landscape, child, key.table))
    return Candidate(child, pairing.columns, key.table, key.columns, reasons)


def _reasons(landscape: Landscape, child: Table, pairing: _Pairing, key: CompositeKey) -> Iterator[Reason]:
    feature = "composite_reference" if pairing.named else "composite_names"
    yield Reason(feature, f"all columns of the key ({', '.join(key.columns)}) are there")
    yield Reason("parts", amount=min(1.0, (len(key.columns) - 2) / 2))
    yield Reason("parent_primary" if key.primary else "parent_secondary")
    chosen = set(pairing.columns)
    if any(
        index.columns[: len(chosen)] and set(index.columns[: len(chosen)]) == chosen
        for index in child.indexes
    ):
        yield Reason("indexed", "an index begins with the columns")
    own = next((set(one.columns) for one in child.keys if one.primary), set())
    if chosen < own:
        yield Reason("details", "the columns begin a longer key, as those of details do")
    elif chosen == own:
        yield Reason("unique", "the columns are their own table's key")
    if landscape.leads_its_family(key):
        yield Reason("family", f"other tables of that key are called like parts of {quote(key.table.name)}")
    if _is_link(landscape, key):
        yield Reason("links", f"{quote(key.table.name)} only links other tables")


def _is_link(landscape: Landscape, key: CompositeKey) -> bool:
    """Tell whether every part of a key is a reference to another table by its name."""
    return all(_names_another(landscape, key, part) for part in key.columns)


def _names_another(landscape: Landscape, key: CompositeKey, part: str) -> bool:
    return any(
        form.table.oid != key.table.oid and form.how is not How.HEAD
        for reading in landscape.readings(split(part))
        for form in landscape.forms.called(glue(reading.stem), key.table)
    )
