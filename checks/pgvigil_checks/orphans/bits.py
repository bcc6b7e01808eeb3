"""A bit for each key of an integer parent: tells of any number of child rows whether they have a parent.

Gathered in one snapshot, they are the answer for that snapshot. Gathered in many, they are a sieve: a row
that they let pass had its parent then, so it was no orphan when the walk began; what they hold back is looked
up.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

from psycopg import sql

from pgvigil.catalog import Column, Table
from pgvigil.check import Bound, Context, Pace, Query
from pgvigil_checks.orphans.facts import Facts
from pgvigil_checks.orphans.strategy import bigint, query

_STEP = 1 << 21
"""So many numbers are asked for at once; each that is a key comes as eight characters."""
_AT_ONCE = 4
_FIRST_STEP = 1 << 13
_SMALLEST_STEP = 1 << 10
_LARGEST_STEP = 2 * _STEP
# What is read sooner than another session is there is not shared out.
_FEWEST_TO_SHARE = 1 << 16
_ONE = ord("1")
_FEW_HOLES = 0.02
"""A share of the parents: with so few it is likely that ranges have none."""


def _beside(number: int) -> sql.SQL:
    """Stand for bits that are sent beside a query.

    A sub-query hands them on as they are; planned as constants they would be copied many times.
    """
    return sql.SQL(f"(SELECT ${number}::bytea)")


BESIDE = _beside(1)
"""What stands for bits in a query that has no others."""


@dataclass(frozen=True)
class Bits:
    """Which numbers from the least to the greatest one are keys; `column` is the child's that refers to them.

    `ends` is None where there is no key at all, `bits` where all the numbers between them are keys.
    """

    column: Column
    ends: tuple[int, int] | None
    bits: bytes | None = None

    @property
    def size(self) -> int:
        """How many bytes they are beside a query."""
        return len(self.bits or b"")

    @property
    def beside(self) -> tuple[bytes, ...]:
        """What is sent beside a query in which `$1` stands for the bits."""
        return () if self.bits is None else (self.bits,)

    @cached_property
    def lack(self) -> sql.Composed:
        """Whether a child row refers to a number that is no key, with the bits written out."""
        return self.lacking(sql.SQL(f"'\\x{(self.bits or b'').hex()}'::bytea"))

    def lacking(self, bits: sql.SQL = BESIDE) -> sql.Composed:
        """Whether a child row refers to a number that is no key; `bits` stands for the bits."""
        names = {"value": sql.Identifier("c", self.column.name)}
        if self.ends is None:
            return sql.SQL("{value} IS NOT NULL").format(**names)
        least, greatest = map(bigint, self.ends)
        if self.bits is None:
            return sql.SQL("({value} < {least} OR {value} > {greatest})").format(
                least=least, greatest=greatest, **names
            )
        return sql.SQL(
            "CASE WHEN {value} BETWEEN {least} AND {greatest} "
            "THEN get_bit({bits}, {value} - {least}) = 0 ELSE {value} IS NOT NULL END"
        ).format(least=least, greatest=greatest, bits=bits, **names)


def counting(template: sql.SQL, each: Sequence[Bits], **names: sql.Composable) -> Bound:
    """Return a query of which `counts` are the rows that each of some bits holds back."""
    held = {id(one.bits): one.bits for one in each if one.bits is not None}
    stands = {of: _beside(number) for number, of in enumerate(held, 1)}
    counts = (
        sql.SQL("count(*) FILTER (WHERE {})").format(one.lacking(stands.get(id(one.bits), sql.SQL("NULL"))))
        for one in each
    )
    return Bound(template.format(counts=sql.SQL(", ").join(counts), **names), tuple(held.values()))


def not_unique(table: Table, columns: Sequence[str]) -> Query:
    """Return the query that has a row where columns are no key in force that is unique and ordinary."""
    return query("walk_key.sql").format(child=sql.Literal(table.oid), columns=sql.Literal(list(columns)))


def spans(facts: Facts, widest: int) -> bool:
    """Tell whether the parent's keys are integers, to be had by an index, that lie close enough together."""
    return facts.integers and bool(facts.parent.orders) and facts.width <= widest


def gather(context: Context, facts: Facts) -> Bits:
    """Gather the parent's keys in the snapshot of the facts, over as many sessions as there are to spare."""
    pieces = _Pieces(facts)
    steps = list(_steps(facts.ends, _STEP))
    while steps:
        some, steps = steps[:_AT_ONCE], steps[_AT_ONCE:]
        queries = [_keys(facts, *one, once=facts.parent.unique) for one in some]
        for step, rows in zip(some, context.fetch_split(queries), strict=True):
            pieces.add(step, rows[0]["offsets"])
    return pieces.whole()


def gathering_pace(context: Context) -> Pace:
    """Return the pace at which parents' keys are gathered, one parent after the other."""
    return Pace(context.chunk_seconds, _FIRST_STEP, largest=_LARGEST_STEP)


def gather_in_chunks(context: Context, facts: Facts, pace: Pace) -> Bits | None:
    """Gather the parent's keys, each chunk in a snapshot of its own; None where they are unique no more."""
    pieces = _Pieces(facts)
    key = facts.reference.columns[0][1].name
    unique = not_unique(facts.reference.parent, [key])
    once = not context.fetch(unique)
    first, greatest = facts.ends or (1, 0)
    while first <= greatest:
        size = max(pace.size, _SMALLEST_STEP)
        last = min(first + _whole_bytes(size) - 1, greatest)
        width = size if size < _FEWEST_TO_SHARE else size // 2
        steps = list(_steps((first, last), _whole_bytes(width)))
        keys = [_keys(facts, *step, once=once) for step in steps]
        fetch = context.fetch_each if len(steps) == 1 else context.fetch_split
        *answers, twice = fetch([*keys, unique])
        if once and twice:
            return None
        pace.took(context.last_seconds, last - first + 1)
        context.checkpoint(context.resumed)
        for step, (row,) in zip(steps, answers, strict=True):
            pieces.add(step, row["offsets"])
        first = last + 1
    return pieces.whole()


def _whole_bytes(numbers: int) -> int:
    """Return so many numbers, or a few more: that the bits of the next ones can be put behind theirs."""
    return -(-numbers // 8) * 8


class _Pieces:
    """The bits that were gathered so far."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._bits = bytearray()
        self._full = True

    def add(self, step: tuple[int, int], offsets: str | None) -> None:
        """Take in the next numbers: `offsets` are those of the keys, as `bits_keys.sql` has them."""
        width = step[1] - step[0] + 1
        if offsets is None:
            self._bits += ((1 << width) - 1).to_bytes(-(-width // 8), "little")
            return
        self._full = False
        packed = bytes.fromhex(offsets[2:])
        keys: Sequence[int] = struct.unpack(f">{len(packed) // 4}I", packed)
        # As digits of a number, which the interpreter packs at once: a loop takes much longer.
        digits = bytearray(b"0") * width
        deque(map(digits.__setitem__, keys, repeat(_ONE)), maxlen=0)
        digits.reverse()
        self._bits += int(digits, 2).to_bytes(-(-width // 8), "little")

    def whole(self) -> Bits:
        """Return what is known, once all was added."""
        ((column, _),) = self._facts.reference.columns
        return Bits(column, self._facts.ends, None if self._full else bytes(self._bits))


def _steps(ends: tuple[int, int] | None, width: int) -> Iterator[tuple[int, int]]:
    least, greatest = ends or (1, 0)
    for first in range(least, greatest + 1, width):
        yield first, min(first + width - 1, greatest)


def _keys(facts: Facts, first: int, last: int, *, once: bool) -> Query:
    """Write the query of the keys among some numbers.

    `once` says that each is there once at the most; then, if they may be dense, they are counted first.
    """
    names = {"first": bigint(first), "last": bigint(last), **facts.names}
    full = sql.SQL("false").format()
    if once and facts.holes <= _FEW_HOLES * facts.parents:
        full = sql.SQL(
            "(SELECT count(*) FROM {parent} AS p WHERE p.{key} BETWEEN {first} AND {last}) = {width}"
        ).format(width=sql.Literal(last - first + 1), **names)
    distinct = sql.SQL("" if once else "DISTINCT")
    return query("bits_keys.sql").format(full=full, distinct=distinct, **names)
