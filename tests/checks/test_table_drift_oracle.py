"""Random pairs of tables: `table_drift` counts what a few lines of plain Python count.

A seed makes one case: types, keys, rows, faults, tolerances and how the tables are stored. All cases of a
test live in one database.
"""

from __future__ import annotations

import json
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from pgvigil.check import Outcome
from pgvigil_checks.table_drift import TableDrift
from pgvigil_checks.table_drift_settings import TableDriftParams
from tests.checks.evidence import shown

if TYPE_CHECKING:
    from pgvigil.run import Run
    from tests.checks.examining import Examiner

Meaning = Callable[[str], Hashable]
Row = tuple[str | None, ...]
FAST, SLOW, CHUNK = 100, 900, 100
SETUP = "CREATE TYPE mood AS ENUM ('ok', 'bad', 'a', 'b')"


def number(text: str) -> Hashable:
    return "NaN" if text == "NaN" else Decimal(text)


def double(text: str) -> Hashable:
    return "NaN" if text == "NaN" else float(text)


def single(text: str) -> Hashable:
    return "NaN" if text == "NaN" else struct.unpack("f", struct.pack("f", float(text)))[0]


def padded(text: str) -> str:
    return text.rstrip(" ")


def moment(text: str) -> datetime | str:
    if text.endswith("infinity"):
        return text
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def document(text: str) -> str:
    return json.dumps(json.loads(text, parse_int=float), sort_keys=True)


def array(text: str) -> str:
    return text.replace(" ", "")


def seconds(text: str) -> int:
    count, unit = text.split()
    return int(count) * {"day": 86_400, "hours": 3_600, "minutes": 60}[unit]


@dataclass(frozen=True)
class Kind:
    """Two types, what is written into each, what that means, and what tolerances are made of, `scale`."""

    types: tuple[str, str]
    texts: tuple[Sequence[str], Sequence[str]]
    meanings: tuple[Meaning, Meaning]
    scale: str = ""
    as_key: bool = True
    expressions: tuple[str, str] = ("{}", "{}")


def alike(types: str, texts: str | Sequence[str], meaning: Meaning, **more: Any) -> Kind:
    left, _, right = types.partition(" / ")
    values = texts.split() if isinstance(texts, str) else texts
    return Kind((left, right or left), (values, values), (meaning, meaning), **more)


INTEGERS = "0 1 2 -5 30000"
STRINGS = ["", "a", "A", "b", " a", "é", "it's", "NULL", "100%"]
MOMENTS = ["2026-01-01 12:00+02:00", "2026-01-01 10:00+00:00", "2026-01-01 10:10+00:00", "infinity"]
KINDS = [
    alike("int", INTEGERS, number, scale="number"),
    alike("smallint / bigint", INTEGERS, number, scale="number"),
    Kind(("int", "numeric"), (INTEGERS.split(), "0.0 1 1.00 1.5 -5".split()), (number, number), "number"),
    alike("numeric", "0 1 1.0 1.50 1.5 1.75 NaN -2 Infinity", number, scale="number"),
    alike("numeric / float8", "0 0.1 0.10 0.11 0.3 NaN Infinity -Infinity", double, scale="number"),
    alike("float8", "0 -0.0 0.1 0.3 0.29 NaN Infinity -Infinity", double, scale="number"),
    alike("real / float8", "0 0.1 0.10000001 0.3 NaN", single, scale="number"),
    alike("text", STRINGS, str),
    alike("text / varchar(9)", STRINGS, str),
    alike('text / text COLLATE "C"', STRINGS, str),
    alike("char(4) / char(9)", ["", "a", "a ", "A", "b"], padded),
    Kind(("char(4)", "text"), (["", "a", "b "], ["", "a", "a ", "b"]), (padded, str)),
    Kind(
        ("text", "text"),
        (["A", "a", "B", ""], ["a", "b", ""]),
        (str.lower, str),
        "",
        True,
        ("lower({})", "{}"),
    ),
    Kind(("int", "text"), (["1", "2", "3"], ["1", "2", "03"]), (str, str), "", True, ("{}::text", "{}")),
    alike("bool", "true false", str),
    alike("uuid", [f"{'ab' * 16}", f"{'AB' * 16}", f"{'cd' * 16}"], str.lower),
    alike("bytea", [r"\x00", r"\xab", r"\xAB", r"\x"], str.lower),
    alike("date / timestamp", "2026-01-01 2026-01-02 infinity -infinity", moment, scale="moment"),
    alike("timestamptz", MOMENTS, moment, scale="moment"),
    alike("mood", "ok bad a b", str),
    alike("mood / text", "ok bad a b", str),
    alike("jsonb", ['{"a":1,"b":2}', '{"b":2,"a":1.0}', "{}", "null", "[1]"], document),
    alike("json / jsonb", ['{"a":1,"b":2}', '{"b":2,"a":1.0}', "{}", "true"], document, as_key=False),
    alike("text[]", ["{}", "{a}", "{a,NULL}", "{b}"], array),
    alike("int[] / bigint[]", ["{}", "{1}", "{1, 2}", "{NULL}"], array),
    alike("interval", ["1 day", "24 hours", "1440 minutes", "2 hours"], seconds),
    alike("point", ["(1,2)", "(2,1)"], str, as_key=False),
]
# With few values, keys collide; with these, most rows are compared.
MANY = [str(n) for n in range(300)]
WIDE = [
    alike("int / bigint", MANY, number),
    alike("int / numeric", MANY, number),
    alike("text / varchar", MANY, str),
    alike("char(4)", MANY, padded),
    alike("uuid", [f"{n:032x}" for n in range(300)], str),
    alike("timestamptz / timestamp", [f"2026-01-01 10:{n // 60:02}:{n % 60:02}" for n in range(300)], moment),
]
STORED = ("plain", "indexed", "indexed", "inherited", "partitioned", "view")


@dataclass(frozen=True)
class Part:
    """A part of the key or a compared column, with its names on both sides."""

    kind: Kind
    names: tuple[str, str]
    tolerance: Decimal | timedelta | None = None

    def means(self, side: int, text: str | None) -> Hashable:
        return None if text is None else self.kind.meanings[side](text)

    def differs(self, left: str | None, right: str | None) -> bool:
        one, other = self.means(0, left), self.means(1, right)
        if one == other or one is None or other is None or self.tolerance is None:
            return one != other
        if isinstance(self.tolerance, Decimal):
            one, other = Decimal(str(left)), Decimal(str(right))
            return not (one.is_finite() and other.is_finite() and abs(one - other) <= self.tolerance)
        apart = abs(one - other) if isinstance(one, datetime) and isinstance(other, datetime) else None
        return apart is None or apart > self.tolerance


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

    @staticmethod
    def _key_text(part: Part, side: int) -> str:
        expression, name = part.kind.expressions[side], part.names[side]
        return name if expression == "{}" else expression.format(sql.Identifier(name).as_string(None))

    def create(self, conn: psycopg.Connection) -> None:
        for side in (0, 1):
            self._create_side(conn, side)

    def _create_side(self, conn: psycopg.Connection, side: int) -> None:
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

    def _index(self, conn: psycopg.Connection, table: sql.Identifier, side: int) -> None:
        """Make the key unique, as the server sees it, or else give it a plain index."""
        columns = sql.SQL(", ").join(sql.Identifier(part.names[side]) for part in self.key)
        try:
            with conn.transaction():
                conn.execute(sql.SQL("CREATE UNIQUE INDEX ON {} ({})").format(table, columns))
        except psycopg.errors.UniqueViolation:
            conn.execute(sql.SQL("CREATE INDEX ON {} ({})").format(table, columns))
        conn.execute(sql.SQL("ANALYZE {}").format(table))

    @staticmethod
    def _insert(conn: psycopg.Connection, table: sql.Identifier, rows: Sequence[Row]) -> None:
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


def expect(run: Run, pair: Pair, conn: psycopg.Connection) -> None:
    counted = pair.count()
    findings = {finding.code: finding for finding in run.findings}
    context = f"seed {pair.number}: {run.error or ''} {pair.settings} {pair.rows}"
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
    if "drift" in findings:
        expect_drift(findings["drift"], counted, context, conn)


def expect_drift(finding: Any, counted: Counted, context: str, conn: psycopg.Connection) -> None:
    details = finding.details
    assert details["changed_by_column"] == counted.changed_by_column, context
    assert list(details["duplicate_keys"].values()) == counted.duplicate_keys, context
    assert list(details["null_keys"].values()) == counted.null_keys, context
    assert details["score_drift"].keys() == counted.differences.keys(), context
    for name, differences in counted.differences.items():
        mean, largest = sum(differences) / len(differences), max(map(abs, differences))
        assert details["score_drift"][name] == pytest.approx(
            {"mean": float(mean), "largest": float(largest)}
        ), context
    rows = shown(conn, finding.evidence_sql)
    assert Counter(row["drift"] for row in rows) == +counted.keys, context
    assert sum(row["copies"] for row in rows) == finding.count, context
    assert [row["drift"] for row in finding.sample] == [row["drift"] for row in rows][:20], context


def compare(seeds: range, database: str, examining: Examiner) -> None:
    pairs = [Pair(seed) for seed in seeds]
    with psycopg.connect(database, autocommit=True, row_factory=psycopg.rows.dict_row) as conn:
        conn.execute(SETUP)
        with conn.transaction():
            conn.execute("SET LOCAL timezone = 'UTC'")
            for pair in pairs:
                pair.create(conn)
        conn.execute("SET timezone = 'UTC'")
        check = TableDrift(TableDriftParams.model_validate({"pairs": [pair.settings for pair in pairs]}))
        runs = examining.examine(check)
        assert not runs.problems
        for pair in pairs:
            expect(runs[pair.subject], pair, conn)


def test_random_pairs_are_counted_as_in_plain_python(database: str, examining: Examiner) -> None:
    compare(range(FAST), database, examining)


@pytest.mark.slow
@pytest.mark.every_pg
@pytest.mark.parametrize("first", range(FAST, FAST + SLOW, CHUNK))
def test_many_random_pairs_are_counted_as_in_plain_python(
    first: int, database: str, examining: Examiner
) -> None:
    compare(range(first, first + CHUNK), database, examining)
