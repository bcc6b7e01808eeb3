"""What may refer, what may be referred to, and by which names: indexes over a catalog for looking names up.

Nothing here compares every table with every other one: 10,000 tables give some ten thousand entries, and a
name finds at most a few of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pgvigil.catalog import Catalog, Column, Key, RelationName, Table, TableKind, TableName
from pgvigil.inference.comparable import family, part_family
from pgvigil.inference.forms import Forms, How, unwrapped
from pgvigil.inference.reading import Reading, readings
from pgvigil.inference.vocabulary import GENERIC_KEYS, NATURAL_ENDINGS, PEOPLE
from pgvigil.inference.words import glue, segmented, split

# Of so many keys of one name, it means none in particular.
_MANY = 12
# Words of so many letters may be several.
_GLUED = 8
# Where the server fills so many of the keys, one that it does not fill says something.
_USUAL = 0.4
# Tables of people that a column which speaks of somebody may refer to.
_PEOPLE = 4


@dataclass(frozen=True, slots=True)
class SingleKey:
    """One column that identifies a table's rows; `generic` when its name says nothing of whose key it is."""

    table: Table
    column: Column
    primary: bool
    family: str
    generic: bool


@dataclass(frozen=True, slots=True)
class CompositeKey:
    """Several columns that identify a table's rows together."""

    table: Table
    columns: tuple[str, ...]
    families: tuple[str, ...]
    primary: bool


class Landscape:
    """A catalog as inference looks at it; `known` are relations that hold already, besides declared ones."""

    def __init__(self, catalog: Catalog, known: Iterable[RelationName] = ()) -> None:
        self.catalog = catalog
        self.tables = tables_of(catalog)
        self.declared = tuple({key.relation: None for key in catalog.foreign_keys})
        self.held = frozenset((*self.declared, *known))
        self._readings: dict[tuple[str, ...], tuple[Reading, ...]] = {}

    @cached_property
    def words(self) -> Mapping[int, tuple[str, ...]]:
        """The words of each table's name."""
        return _words_of(self.tables)

    @cached_property
    def own_prefix(self) -> Mapping[int, str]:
        """What the names of all columns of a table begin with; empty where they have nothing in common."""
        return {table.oid: _own_prefix(table) for table in self.tables}

    @cached_property
    def forms(self) -> Forms:
        """What the tables that may be referred to are called elsewhere."""
        return Forms(self.words, filter(_identifiable, self.tables))

    @cached_property
    def bound(self) -> frozenset[tuple[TableName, frozenset[str]]]:
        """The columns that have a parent already, as sets."""
        return frozenset((one.child, frozenset(one.child_columns)) for one in self.held)

    @cached_property
    def keys(self) -> Mapping[int, tuple[SingleKey, ...]]:
        """The single-column keys of each table, the primary one first."""
        found = {table.oid: tuple(_single_keys(table)) for table in self.tables}
        return {oid: keys for oid, keys in found.items() if keys}

    @cached_property
    def families(self) -> frozenset[str]:
        """What the single-column keys are compared as: no other column has a parent."""
        return frozenset(key.family for keys in self.keys.values() for key in keys)

    @cached_property
    def composites(self) -> Mapping[int, tuple[CompositeKey, ...]]:
        """The keys of several columns of each table, the primary one first."""
        found = {table.oid: tuple(_composite_keys(table)) for table in self.tables}
        return {oid: keys for oid, keys in found.items() if keys}

    def leads_its_family(self, key: CompositeKey) -> bool:
        """Tell whether others with the same key are called like parts of its table, and it like none's."""
        own = unwrapped(self.words[key.table.oid])
        if not own:
            return False
        others = [words for words in self._families[key.columns] if words != own]
        return any(words[: len(own)] == own for words in others) and not any(
            own[: len(words)] == words for words in others
        )

    @cached_property
    def _families(self) -> Mapping[tuple[str, ...], set[tuple[str, ...]]]:
        """The names of the tables that have a key of the same columns, as words."""
        found: defaultdict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
        for keys in self.composites.values():
            for key in keys:
                found[key.columns].add(unwrapped(self.words[key.table.oid]))
        return found

    @cached_property
    def _by_key_name(self) -> Mapping[str, list[SingleKey]]:
        """The keys with a name of their own, by that name without its table's own prefix, glued."""
        found: defaultdict[str, list[SingleKey]] = defaultdict(list)
        for keys in self.keys.values():
            for key in keys:
                if not key.generic:
                    for name in map(glue, self.spellings(key.table, key.column.name)):
                        if name not in GENERIC_KEYS:
                            found[name].append(key)
        return {**found, **self._unrivalled}

    @cached_property
    def _unrivalled(self) -> Mapping[str, list[SingleKey]]:
        """The natural primary keys that are the only key of their name, such as a catalogue's `sku`.

        What else is called so speaks of them, or of nothing here: values tell.
        """
        found: defaultdict[str, list[SingleKey]] = defaultdict(list)
        for keys in self.keys.values():
            for key in keys:
                name = glue(split(key.column.name))
                if key.family == "text" and name in NATURAL_ENDINGS:
                    found[name].append(key)
        return {name: keys for name, keys in found.items() if len(keys) == 1 and keys[0].primary}

    def may_refer(self, child: Table, column: Column) -> bool:
        """Tell whether a column may be a reference that nobody knows of yet."""
        return (
            family(column) is not None
            and column.name not in self.inherited.get(child.oid, ())
            and column.name not in self._bound_alone.get((child.schema, child.name), ())
        )

    @cached_property
    def _bound_alone(self) -> Mapping[tuple[str, str], set[str]]:
        """The columns that have a parent by themselves, by their table's schema and name."""
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for one in self.held:
            if len(set(one.child_columns)) == 1:
                found[one.child.schema, one.child.name].update(one.child_columns)
        return found

    def readings(self, words: tuple[str, ...]) -> tuple[Reading, ...]:
        """Return how the words of a column's name may be read, the likeliest way first."""
        # The same few names come back in all tables.
        if words not in self._readings:
            self._readings[words] = tuple(readings(words, self.forms.__contains__))
        return self._readings[words]

    def spellings(self, table: Table, column: str) -> list[tuple[str, ...]]:
        """Return the words of a column's name, and what is left without a prefix that all columns have."""
        words = split(column)
        prefix = self.own_prefix[table.oid]
        return [words, words[1:]] if prefix and len(words) > 1 and words[0] == prefix else [words]

    def keys_called(self, name: str, near: Table) -> Sequence[SingleKey]:
        """Return the keys that have this name for themselves; of too many those of the same schema."""
        found = self._by_key_name.get(name, ())
        if len(found) <= _MANY:
            return found
        return [key for key in found if key.table.schema == near.schema][:_MANY]

    def people(self, near: Table) -> Sequence[tuple[Table, float]]:
        """Return the tables of people, the likeliest first, each with how much it looks like one: 0 to 1."""
        found: dict[int, tuple[Table, float]] = {}
        for place, word in enumerate(PEOPLE):
            for form in self.forms.called(word, near):
                if form.how is not How.HEAD:
                    rank = (1 - place / len(PEOPLE)) * (0.7 if form.how is How.TAIL else 1.0)
                    found.setdefault(form.table.oid, (form.table, rank))
        return sorted(found.values(), key=lambda one: -one[1])[:_PEOPLE]

    def takes_over(self, key: SingleKey) -> bool:
        """Tell whether a table's key is one that the server does not fill, in a database where it fills most.

        It comes from somewhere else, then: from another table, likely.
        """
        return key.family == "integer" and not key.column.filled and self._fills

    @cached_property
    def _fills(self) -> bool:
        """Whether the server fills most of the integer primary keys."""
        primary = [keys[0] for keys in self.keys.values() if keys[0].primary and keys[0].family == "integer"]
        return sum(key.column.filled for key in primary) >= _USUAL * len(primary)

    @cached_property
    def precedents(self) -> Mapping[tuple[str, str], Counter[tuple[int, str]]]:
        """What declared relations of one column refer to, by (child column's name, family)."""
        found: defaultdict[tuple[str, str], Counter[tuple[int, str]]] = defaultdict(Counter)
        for key in self.catalog.foreign_keys:
            column = key.child.column(key.child_columns[0])
            if len(key.child_columns) == 1 and column is not None and (kind := family(column)):
                found[column.name, kind][key.parent.oid, key.parent_columns[0]] += 1
        return found

    @cached_property
    def precedents_within(self) -> Mapping[tuple[str, str, str], list[tuple[int, str]]]:
        """The same by (child column's name, family, parent's schema)."""
        found: defaultdict[tuple[str, str, str], list[tuple[int, str]]] = defaultdict(list)
        for (name, kind), keys in self.precedents.items():
            for oid, column in keys:
                if (parent := self.catalog.by_oid(oid)) is not None:
                    found[name, kind, parent.schema].append((oid, column))
        return found

    @cached_property
    def flows(self) -> Counter[tuple[str, str]]:
        """How many declared relations lead from a schema into another."""
        return Counter((one.child.schema, one.parent.schema) for one in self.declared)

    @cached_property
    def inherited(self) -> Mapping[int, frozenset[str]]:
        """The columns that tables inherit, by the heir's oid: what holds for them is told at the ancestor."""
        return {
            table.oid: frozenset(
                column.name
                for parent in map(self.catalog.by_oid, table.inherits)
                if parent is not None
                for column in parent.columns
            )
            for table in self.tables
            if table.inherits
        }


def tables_of(catalog: Catalog) -> tuple[Table, ...]:
    """Return the tables that inference looks at, by schema and name."""
    return tuple(
        table
        for table in sorted(catalog.watched_tables(), key=lambda table: (table.schema, table.name))
        if table.kind in (TableKind.TABLE, TableKind.PARTITIONED)
    )


def _words_of(tables: Sequence[Table]) -> dict[int, tuple[str, ...]]:
    """Split the names of tables into words, also where they are written as one, by the words of all names."""
    plain = {table.oid: split(table.name) for table in tables}
    known = {word for words in plain.values() if len(words) > 1 for word in words}
    known.update(word for table in tables for column in table.columns for word in split(column.name))
    pieces = {
        word: segmented(word, known) for words in plain.values() for word in words if len(word) >= _GLUED
    }
    return {
        oid: tuple(p for word in words for p in pieces.get(word, (word,))) for oid, words in plain.items()
    }


def _own_prefix(table: Table) -> str:
    """Return the word that the names of all columns begin with, if they do: `c_custkey`, `c_name`."""
    names = [split(column.name) for column in table.columns]
    first = {words[0] for words in names if words}
    return (
        first.pop() if len(names) > 2 and len(first) == 1 and all(len(words) > 1 for words in names) else ""
    )


def _identifiable(table: Table) -> bool:
    return any(part_family(column) for key in _keys(table) for column in _columns(table, key.columns))


def _keys(table: Table) -> list[Key]:
    """Return the keys of a table, the primary one first; also those whose index is broken.

    What refers to them needs to be watched the more.
    """
    broken = [
        Key(index.name, columns, primary=False, nulls_not_distinct=False)
        for index in table.indexes
        if index.unique and not index.valid and not index.partial
        if len(columns := tuple(filter(None, index.columns))) == len(index.columns)
    ]
    return sorted((*table.keys, *broken), key=lambda key: not key.primary)


def _single_keys(table: Table) -> Iterator[SingleKey]:
    for key in _keys(table):
        for column in _columns(table, key.columns)[:1]:
            kind = family(column)
            if len(key.columns) == 1 and kind:
                generic = glue(split(column.name)) in GENERIC_KEYS
                yield SingleKey(table, column, key.primary, kind, generic)


def _composite_keys(table: Table) -> Iterator[CompositeKey]:
    for key in _keys(table):
        columns = _columns(table, key.columns)
        families = tuple(kind for column in columns if (kind := part_family(column)))
        if 1 < len(key.columns) == len(families):
            yield CompositeKey(table, key.columns, families, key.primary)


def _columns(table: Table, names: Iterable[str]) -> list[Column]:
    return [column for name in names if (column := table.column(name)) is not None]
