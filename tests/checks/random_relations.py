"""Random relations with random rows, and a plain Python answer to which rows have no parent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from random import Random

Key: TypeAlias = "tuple[int | None, ...]"
"""What a key means: positions in the meanings of its columns' types. Keys are equal when PostgreSQL's are."""


@dataclass(frozen=True)
class KeyType:
    """The types of a parent's and a child's column, and how either writes each of some meanings.

    Several spellings of one meaning are equal to PostgreSQL, of two meanings never. A child writes
    `child_spellings` if there are any.
    """

    parent: str
    child: str
    spellings: tuple[tuple[str, ...], ...]
    child_spellings: tuple[tuple[str, ...], ...] = ()

    def write(self, dice: Random, meaning: int | None, *, child: bool) -> str:
        if meaning is None:
            return "NULL"
        spellings = (self.child_spellings or self.spellings) if child else self.spellings
        return f"'{dice.choice(spellings[meaning])}'"


def each(*spellings: str) -> tuple[tuple[str, ...], ...]:
    """Give every meaning one spelling."""
    return tuple((spelling,) for spelling in spellings)


WHOLE = each("0", "1", "-2", "7", "32767")
NUMBERS = (
    ("0", "0.0", "-0"),
    ("1", "1.00"),
    ("-2.0", "-2"),
    ("7.000", "7"),
    ("32767",),
    ("1.5", "1.50"),
    ("NaN",),
)
TEXTS = each("", "a", "A", "a ", "ä", " a", "''", "100%")
MOMENTS = (
    ("2024-03-31 02:30+00", "2024-03-31 04:30+02"),
    ("infinity",),
    ("-infinity",),
    ("0044-03-15 12:00+00 BC",),
    ("2024-03-31 02:30:00.000001+00",),
)

DECLARABLE = (
    KeyType("int", "int", WHOLE),
    KeyType("bigint", "int", WHOLE),
    KeyType("smallint", "bigint", WHOLE),
    KeyType("numeric", "numeric", NUMBERS),
    KeyType("numeric", "smallint", NUMBERS[:5], WHOLE),
    KeyType("numeric(9,3)", "numeric", NUMBERS),
    KeyType("float8", "float8", (*NUMBERS, ("Infinity",), ("1e-300",))),
    KeyType("text", "text", TEXTS),
    KeyType("text", "varchar(9)", TEXTS),
    KeyType("char(3)", "char(7)", (("", " "), ("a", "a  "), ("b",), ("ab", "ab "), ("abc",), (" a", " a "))),
    KeyType(
        "uuid", "uuid", (("0" * 31 + "a", "0" * 31 + "A"), ("f" * 32,), ("0" * 32,), ("{" + "1" * 32 + "}",))
    ),
    KeyType("date", "date", each("2024-02-29", "infinity", "-infinity", "0044-03-15 BC", "epoch")),
    KeyType("timestamptz", "timestamptz", MOMENTS),
    KeyType("bytea", "bytea", (("\\x", ""), ("\\x00",), ("\\xff00", "\\xFF00"), ("\\x61", "a"))),
    KeyType("boolean", "boolean", (("t", "true"), ("f", "no"))),
    KeyType("int[]", "int[]", each("{}", "{1}", "{1,2}", "{2,1}", "{NULL}", "{{1,2}}")),
    KeyType(
        "jsonb", "jsonb", (('{"a":1,"b":2}', '{"b":2.0,"a":1.00}'), ("null",), ("[]",), ("{}",), ('"a"',))
    ),
)
CONFIGURABLE = (
    *DECLARABLE,
    KeyType("smallint", "numeric", WHOLE, ((*NUMBERS[0],), *NUMBERS[1:5])),
    KeyType("bigint", "float8", WHOLE),
    KeyType("varchar(9)", "text", TEXTS),
)


class RandomRelation:
    """One relation in a schema of its own, with all of its rows, and the answer."""

    named_by = "n"

    def __init__(self, schema: str, dice: Random) -> None:
        self.schema = schema
        self.configured = dice.random() < 0.3
        self.full = not self.configured and dice.random() < 0.4
        self.parent_is_partitioned = dice.random() < 0.3
        self.child_is_partitioned = dice.random() < 0.3
        pool = CONFIGURABLE if self.configured else DECLARABLE
        self.types = [dice.choice(pool) for _ in range(dice.choice((1, 1, 2, 3)))]
        self.columns = [f"k{n}" for n in range(len(self.types))]
        self._dice = dice
        self._make_rows()

    def _make_rows(self) -> None:
        dice = self._dice
        self.parents = list(dict.fromkeys(self._key(0) for _ in range(dice.randrange(8))))
        self.children = {
            n: self._key(dice.choice((0, 0.2, 0.6))) for n in dice.sample(range(50), dice.randrange(20))
        }
        # In tables that inherit from them; partitioned tables have none.
        parents = 0 if self.parent_is_partitioned else dice.choice((0, 0, 2))
        children = 0 if self.child_is_partitioned else dice.choice((0, 0, 4))
        self.inherited_parents = [self._key(0) for _ in range(parents)]
        self.inherited_children = {n: self._key(0.1) for n in range(100, 100 + children)}

    def _key(self, null_share: float) -> Key:
        return tuple(
            None if self._dice.random() < null_share else self._dice.randrange(len(one.spellings))
            for one in self.types
        )

    @property
    def subject(self) -> str:
        """The relation, as the check names it."""
        columns = ", ".join(self.columns)
        return f"{self.schema}.child({columns}) -> {self.schema}.parent({columns})"

    @property
    def judged(self) -> dict[int, Key]:
        """The child's rows: a declared key's are its table's, a configured one's all that SELECT shows."""
        return {**self.children, **(self.inherited_children if self.configured else {})}

    def orphans(self) -> list[int]:
        """Return the keys of the child rows without a parent, in order."""
        parents = {*self.parents, *(self.inherited_parents if self.configured else ())}
        return sorted(n for n, key in self.judged.items() if None not in key and key not in parents)

    def shown(self, rows: list[int]) -> list[int]:
        """Return what a sample shows of some rows: their keys."""
        return rows

    def partial_nulls(self) -> list[int]:
        """Return the keys of the child rows that MATCH FULL forbids, in order."""
        rows = self.judged.items()
        return sorted(n for n, key in rows if self.full and 0 < key.count(None) < len(key))

    def sql(self) -> str:
        """Return what makes tables and rows, in a session that fires no triggers."""
        names = ", ".join(self.columns)
        columns = list(zip(self.columns, self.types, strict=True))
        parent_columns = ", ".join(f"{name} {one.parent}" for name, one in columns)
        child_columns = ", ".join(f"{name} {one.child}" for name, one in columns)
        key = f", FOREIGN KEY ({names}) REFERENCES parent {'MATCH FULL' if self.full else ''}"
        return f"""
            CREATE SCHEMA {self.schema}; SET search_path = {self.schema};
            CREATE TABLE parent ({parent_columns}, PRIMARY KEY ({names}))
            {_parts("parent", "k0" if self.parent_is_partitioned else None)};
            CREATE TABLE child (n int PRIMARY KEY, {child_columns}{"" if self.configured else key})
            {_parts("child", "n" if self.child_is_partitioned else None)};
            {"".join(self._insert("parent", key) for key in self.parents)}
            {"".join(self._insert("more_parent", key) for key in self.inherited_parents)}
            {"".join(self._insert("child", key, n) for n, key in self.children.items())}
            {"".join(self._insert("more_child", key, n) for n, key in self.inherited_children.items())}
        """

    def _insert(self, table: str, key: Key, n: int | None = None) -> str:
        values = [] if n is None else [str(n)]
        for one, meaning in zip(self.types, key, strict=True):
            values.append(one.write(self._dice, meaning, child=n is not None))
        return f"INSERT INTO {table} VALUES ({', '.join(values)});"


def _parts(table: str, partition_key: str | None) -> str:
    """Return the end of CREATE TABLE: two partitions, or a table that inherits."""
    if partition_key is None:
        return f"; CREATE TABLE more_{table} () INHERITS ({table})"
    parts = "".join(
        f"; CREATE TABLE {table}_{n} PARTITION OF {table} FOR VALUES WITH (MODULUS 2, REMAINDER {n})"
        for n in (0, 1)
    )
    return f"PARTITION BY HASH ({partition_key}){parts}"
