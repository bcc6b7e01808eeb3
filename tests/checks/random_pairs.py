"""Random pairs of tables, and what a few lines of plain Python count in them.

A seed makes one pair: types, keys, rows, faults, tolerances and how the tables are stored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from pgvigil.check import Outcome
from tests.checks.random_columns import KINDS, SETUP, WIDE, Kind, Part

if TYPE_CHECKING:
    from pgvigil.check import Finding
    from pgvigil.run import Run

Row = tuple[str | None, ...]
STORED = ("plain", "indexed", "indexed", "inherited", "partitioned", "view")


@dataclass
class Counted:
    """What plain Python counts; `keys` are the keys at fault, by what is the matter."""

    left_only: int = 0
    right_only: int = 0
    changed: int = 0
    changed_by_column: Counter[str] = field(default_factory=Counter)
    duplicate_keys: list[int] = field(default_factory=lambda: [0, 0])
    null_keys: list[int] = field(default_factory=lambda: [0, 0])
    differences: defaultdict[str, list[Decimal]] = field(default_factory=lambda: defaultdict(list))
    keys: Counter[str] = field(default_factory=Counter)


class Pair:
    """One random case; rows hold the key's parts first, then the columns."""

    def __init__(self, seed: int) -> None:
        random = self.random = Random(seed)
        self.number = seed
        keys = WIDE if random.random() < 0.5 else [kind for kind in KINDS if kind.as_key]
        columns = [kind for kind in KINDS if kind.expressions == ("{}", "{}")]
        self.key = [self._part("k", n, random.choice(keys)) for n in range(random.choice((1, 1, 2, 3)))]
        self.columns = [self._part("c", n, random.choice(columns), True) for n in range(random.randint(0, 4))]
        left = [self._row(0) for _ in range(random.choice((0, 1, 5, 12, 40)))]
        right = [self._row(1, row) for row in left if random.random() < 0.9]
        right += [self._row(1) for _ in range(random.choice((0, 0, 1, 4)))]
        random.shuffle(right)
        self.rows = left, right
        self.stored = random.choice(STORED), random.choice(STORED)

    def _part(self, letter: str, n: int, kind: Kind, tolerated: bool = False) -> Part:
        names = f"{letter}{n}", random_name(self.random, f"{letter}{n}")
        choice = {
            "number": [None, Decimal("0.01"), Decimal(1), Decimal(0)],
            "moment": [None, timedelta(minutes=10), timedelta(days=1)],
        }.get(kind.scale, [None])
        return Part(kind, names, self.random.choice(choice) if tolerated else None)

    def _row(self, side: int, like: Row | None = None) -> Row:
        """Return a random row, or one whose values mean the same as another's, but for a few."""
        parts = [*self.key, *self.columns]
        if like is None:
            return tuple(self._text(part, side) for part in parts)
        return tuple(self._same(part, text) for part, text in zip(parts, like, strict=True))

    def _text(self, part: Part, side: int) -> str | None:
        return None if self.random.random() < 0.08 else self.random.choice(part.kind.texts[side])

    def _same(self, part: Part, text: str | None) -> str | None:
        if self.random.random() < 0.1:
            return self._text(part, 1)
        fitting = [other for other in part.kind.texts[1] if part.means(1, other) == part.means(0, text)]
        return self.random.choice(fitting) if fitting else None

    @cached_property
    def tables(self) -> tuple[str, str]:
        return f"l{self.number}", f"r{self.number}"

    @property
    def subject(self) -> str:
        left, right = self.tables
        return f"public.{left} <> public.{right}"

    @property
    def settings(self) -> dict[str, Any]:
        tolerances = {p.names[0]: written(p.tolerance) for p in self.columns if p.tolerance is not None}
        return {
            "left": f"public.{self.tables[0]}",
            "right": f"public.{self.tables[1]}",
            "key": {self._key_text(part, 0): self._key_text(part, 1) for part in self.key},
            "columns": {part.names[0]: part.names[1] for part in self.columns},
            "tolerance": tolerances,
        }

    def __str__(self) -> str:
        return f"seed {self.number}: {self.settings} {self.rows}"

    @staticmethod
    def _key_text(part: Part, side: int) -> str:
        expression, name = part.kind.expressions[side], part.names[side]
        return name if expression == "{}" else expression.format(sql.Identifier(name).as_string(None))

    def create(self, conn: psycopg.Connection[Any], side: int) -> None:
        name, stored = self.tables[side], self.stored[side]
        table = sql.Identifier(f"{name}_rows" if stored == "view" else name)
        first = sql.Identifier(self.key[0].names[side])
        parts = [*self.key, *self.columns]
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(part.names[side]), sql.SQL(part.kind.types[side]))
            for part in parts
        )
        suffix = sql.SQL("PARTITION BY HASH ({})").format(first) if stored == "partitioned" else sql.SQL("")
        conn.execute(sql.SQL("CREATE TABLE {} ({}) {}").format(table, columns, suffix))
        second = sql.Identifier(f"{name}_more")
        if stored == "partitioned":
            for remainder, part_table in enumerate((sql.Identifier(f"{name}_less"), second)):
                conn.execute(
                    sql.SQL(
                        "CREATE TABLE {} PARTITION OF {} FOR VALUES WITH (MODULUS 2, REMAINDER {})"
                    ).format(part_table, table, sql.Literal(remainder))
                )
        elif stored == "inherited":
            conn.execute(sql.SQL("CREATE TABLE {} () INHERITS ({})").format(second, table))
        elif stored == "view":
            conn.execute(sql.SQL("CREATE VIEW {} AS SELECT * FROM {}").format(sql.Identifier(name), table))
        self._insert(conn, table, self.rows[side][::2])
        self._insert(conn, second if stored == "inherited" else table, self.rows[side][1::2])
        if stored == "indexed":
            self._index(conn, table, side)

    def _index(self, conn: psycopg.Connection[Any], table: sql.Identifier, side: int) -> None:
        """Make the key unique, as the server sees it, or else give it a plain index."""
        columns = sql.SQL(", ").join(sql.Identifier(part.names[side]) for part in self.key)
        try:
            with conn.transaction():
                conn.execute(sql.SQL("CREATE UNIQUE INDEX ON {} ({})").format(table, columns))
        except psycopg.errors.UniqueViolation:
            conn.execute(sql.SQL("CREATE INDEX ON {} ({})").format(table, columns))
        conn.execute(sql.SQL("ANALYZE {}").format(table))

    @staticmethod
    def _insert(conn: psycopg.Connection[Any], table: sql.Identifier, rows: Sequence[Row]) -> None:
        if rows:
            values = (sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, row))) for row in rows)
            conn.execute(sql.SQL("INSERT INTO {} VALUES {}").format(table, sql.SQL(", ").join(values)))

    def count(self) -> Counted:
        """Compare the two tables in plain Python."""
        counted = Counted()
        sides = [self._by_key(side, counted) for side in (0, 1)]
        for key in sides[0].keys() | sides[1].keys():
            left, right = sides[0][key], sides[1][key]
            counted.duplicate_keys[0] += len(left) > 1
            counted.duplicate_keys[1] += len(right) > 1
            if not left or not right:
                counted.left_only += len(left)
                counted.right_only += len(right)
                counted.keys["right_only" if right else "left_only"] += 1
            elif len(left) == len(right) == 1:
                self._compare(left[0], right[0], counted)
        return counted

    def _by_key(self, side: int, counted: Counted) -> defaultdict[Hashable, list[Row]]:
        found: defaultdict[Hashable, list[Row]] = defaultdict(list)
        for row in self.rows[side]:
            key = tuple(part.means(side, text) for part, text in zip(self.key, row, strict=False))
            if None in key:
                counted.null_keys[side] += 1
            else:
                found[key].append(row)
        return found

    def _compare(self, left: Row, right: Row, counted: Counted) -> None:
        skip = len(self.key)
        differing = [
            (part, one, other)
            for part, one, other in zip(self.columns, left[skip:], right[skip:], strict=True)
            if part.differs(one, other)
        ]
        counted.changed += bool(differing)
        counted.keys["changed"] += bool(differing)
        for part, one, other in differing:
            counted.changed_by_column[part.names[0]] += 1
            numbers = [
                Decimal(text) for text in (one, other) if part.kind.scale == "number" and text is not None
            ]
            if len(numbers) == 2 and all(each.is_finite() for each in numbers):
                counted.differences[part.names[0]].append(numbers[1] - numbers[0])


def random_name(random: Random, name: str) -> str:
    return random.choice((name, name, f'{name} "odd" %s', f"{name}.Ünï"))


def written(tolerance: Decimal | timedelta | None) -> float | str | None:
    if isinstance(tolerance, timedelta):
        return f"{round(tolerance.total_seconds())}s"
    return None if tolerance is None else float(tolerance)


def create(conn: psycopg.Connection[Any], pairs: Sequence[Pair], sides: Sequence[int] = (0, 1)) -> None:
    """Make the tables of these pairs, or those of one side, in an empty database."""
    conn.execute(SETUP)
    with conn.transaction():
        conn.execute("SET LOCAL timezone = 'UTC'")
        for pair in pairs:
            for side in sides:
                pair.create(conn, side)


def expect(run: Run, pair: Pair) -> Finding | None:
    """Hold what a run says, but for the rows that it shows, against plain Python; return its drift."""
    counted = pair.count()
    findings = {finding.code: finding for finding in run.findings}
    context = f"{pair}: {run.error or ''} {run.explain}"
    assert run.outcome in (Outcome.PASS, Outcome.FAIL), context
    assert run.rows_examined == sum(map(len, pair.rows)), context
    measures = {"left_only": counted.left_only, "right_only": counted.right_only, "changed": counted.changed}
    assert run.measures == {**measures, "budget_rows": 0}, context
    wanted = {
        "drift": sum(measures.values()),
        "duplicate_keys": sum(counted.duplicate_keys),
        "null_keys": sum(counted.null_keys),
    }
    counts = {code: findings[code].count if code in findings else 0 for code in wanted}
    assert counts == wanted, context
    if "drift" not in findings:
        return None
    details = findings["drift"].details
    assert details["changed_by_column"] == counted.changed_by_column, context
    assert list(details["duplicate_keys"].values()) == counted.duplicate_keys, context
    assert list(details["null_keys"].values()) == counted.null_keys, context
    assert details["score_drift"].keys() == counted.differences.keys(), context
    for name, differences in counted.differences.items():
        mean, largest = sum(differences) / len(differences), max(map(abs, differences))
        assert details["score_drift"][name] == pytest.approx(
            {"mean": float(mean), "largest": float(largest)}
        ), context
    return findings["drift"]
