"""Reasons that lie in the tables themselves, whatever led from the one to the other."""

from __future__ import annotations

from collections.abc import Iterator

from pgvigil.catalog import Column, Table, quote
from pgvigil.inference.candidate import Reason
from pgvigil.inference.comparable import family
from pgvigil.inference.forms import How, unwrapped
from pgvigil.inference.landscape import Landscape, SingleKey
from pgvigil.inference.vocabulary import COPIES, TRANSIENT
from pgvigil.inference.words import glue, split

# How much counts that a key is its table's own, when its name does not say so.
_PERHAPS = 0.3
# And when it says so: of a number that may be filled by itself; of a natural key, which two tables may share.
_OWNED = {"integer": 1.0}
_MOSTLY = 0.6
_SAME_TYPE = Reason("same_type", "both have the same type")


class Circumstances:
    """Tells them for the columns and keys of a catalog; what is asked again and again is kept."""

    def __init__(self, landscape: Landscape) -> None:
        self._landscape = landscape
        self._of_keys: dict[tuple[int, str], tuple[Reason, ...]] = {}
        self._of_columns: dict[tuple[int, str], tuple[Reason, ...]] = {}

    def between(self, child: Table, column: Column, key: SingleKey) -> Iterator[Reason]:
        """Yield what speaks for and against a column that refers to a key, besides how it is called."""
        parts = key.table.oid, key.column.name
        if parts not in self._of_keys:
            self._of_keys[parts] = tuple(_of_the_key(self._landscape, key))
        own = child.oid, column.name
        if own not in self._of_columns:
            self._of_columns[own] = tuple(_of_the_column(self._landscape, child, column))
        yield from self._of_keys[parts]
        yield from self._of_columns[own]
        yield from nearness(self._landscape, child, key.table)
        yield from _of_the_declared(self._landscape, child, column, key)
        if column.base_type == key.column.base_type:
            yield _SAME_TYPE
        else:
            yield Reason("other_type", f"the types differ: {column.type} and {key.column.type}")


def nearness(landscape: Landscape, child: Table, parent: Table) -> Iterator[Reason]:
    """Yield how near the tables are to each other, by their names and schemas."""
    if child.oid == parent.oid:
        return
    if child.schema == parent.schema:
        yield Reason("near_schema", "both tables lie in the same schema")
        yield from _by_their_names(landscape, child, parent)
    else:
        yield Reason("far", "the tables lie in different schemas")
        if set(split(parent.schema)) & TRANSIENT:
            yield Reason("transient", f"{quote(parent.schema)} is what schemas are called that do not last")
    if is_copy(landscape, child):
        yield Reason("child_copy", f"{quote(child.name)} may keep what its parents no longer have")
    if is_copy(landscape, parent) and not is_copy(landscape, child):
        yield Reason("copy", f"{quote(parent.name)} is called like a copy of another table")


def _by_their_names(landscape: Landscape, child: Table, parent: Table) -> Iterator[Reason]:
    front, behind = landscape.words[child.oid], unwrapped(landscape.words[parent.oid])
    if not behind:
        return
    if len(front) > len(behind) and front[: len(behind)] == behind:
        yield Reason("near_detail", f"{quote(child.name)} is called like a part of {quote(parent.name)}")
    elif any(front[start : start + len(behind)] == behind for start in range(1, len(front))):
        yield Reason("near_named", f"the name of {quote(child.name)} holds that of {quote(parent.name)}")
    elif len(behind) > 1 and front[:1] == behind[:1]:
        yield Reason("near_prefix", "both tables' names begin with the same word")


def is_copy(landscape: Landscape, table: Table) -> bool:
    """Tell whether a table's name is another's with a word such as `history` or `backup`."""
    words = landscape.words[table.oid]
    if len(words) < 2:
        return False
    ends = [rest for word, rest in ((words[-1], words[:-1]), (words[0], words[1:])) if word in COPIES]
    return any(
        form.how is How.FULL and form.table.oid != table.oid
        for rest in ends
        for form in landscape.forms.called(glue(rest), table)
    )


def owner_of(landscape: Landscape, key: SingleKey) -> bool | None:
    """Tell whether a key's name speaks of its own table; None where it speaks of no table at all."""
    owners: set[int] = set()
    for words in landscape.spellings(key.table, key.column.name):
        for reading in landscape.readings(words):
            if not reading.stem:
                return True
            forms = landscape.forms.called(glue(reading.stem), key.table)
            owners.update(form.table.oid for form in forms if form.how is not How.HEAD)
    return None if not owners else key.table.oid in owners


def _of_the_key(landscape: Landscape, key: SingleKey) -> Iterator[Reason]:
    if key.primary:
        yield Reason("parent_primary", f"{quote(key.column.name)} is the primary key there")
    else:
        yield Reason("parent_secondary", f"{quote(key.column.name)} is unique there, and not the primary key")
    if not key.generic and owner_of(landscape, key) is False:
        yield Reason("key_is_borrowed", f"{quote(key.column.name)} there is called like a reference itself")


def _of_the_column(landscape: Landscape, child: Table, column: Column) -> Iterator[Reason]:
    if any(index.columns[:1] == (column.name,) and index.valid for index in child.indexes):
        yield Reason("indexed", "an index begins with the column")
    if any(column.name in key.columns and len(key.columns) > 1 for key in child.keys):
        yield Reason("in_key", "the column is a part of its own table's key")
    if column.filled and family(column) == "integer":
        yield Reason("filled", "the server fills the column by itself")
    own = next((key for key in landscape.keys.get(child.oid, ()) if key.column.name == column.name), None)
    if own is None:
        return
    owned = owner_of(landscape, own)
    if own.primary and owned is not False:
        sure = _PERHAPS if not owned or landscape.takes_over(own) else _OWNED.get(own.family, _MOSTLY)
        yield Reason("own_key", "the column is its own table's key", sure)
    else:
        yield Reason("unique", "the column is unique in its own table")


def _of_the_declared(landscape: Landscape, child: Table, column: Column, key: SingleKey) -> Iterator[Reason]:
    precedents = landscape.precedents.get((column.name, key.family))
    if precedents and split(column.name) and child.oid != key.table.oid:
        agree = precedents[key.table.oid, key.column.name] / precedents.total()
        if agree:
            yield Reason("precedent", "declared foreign keys of columns with this name refer there", agree)
        else:
            yield Reason(
                "precedent_against", "declared foreign keys of columns with this name refer elsewhere"
            )
    if child.schema != key.table.schema and landscape.flows[child.schema, key.table.schema]:
        yield Reason("flow", "declared foreign keys lead from the one schema into the other")
