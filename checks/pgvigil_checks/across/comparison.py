"""The run of a pair whose right table lives in another target."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgvigil import __version__
from pgvigil.catalog import Column, Table, TableKind
from pgvigil.check import Context, Examined, Finding, Peer, Row, Skipped, State, Verdict, load_sql
from pgvigil_checks import table_drift_query as query
from pgvigil_checks import table_drift_report as report
from pgvigil_checks.across.both import Both, ChangedError
from pgvigil_checks.across.canonical import reason
from pgvigil_checks.across.evidence import Evidence, by_target
from pgvigil_checks.across.kept import Kept
from pgvigil_checks.across.keys import DamagedKeyError, Part, Scope
from pgvigil_checks.across.moving import Moving
from pgvigil_checks.across.query import Asked
from pgvigil_checks.across.tally import SIDES, Tally
from pgvigil_checks.across.walk import TooManyDifferError, Walk
from pgvigil_checks.foreign_parts import why_unexaminable
from pgvigil_checks.table_drift_expression_values import settle
from pgvigil_checks.table_drift_figures import Figures
from pgvigil_checks.table_drift_model import EntityPair
from pgvigil_checks.table_drift_notes import notes_across, referenced_across

_INDEXED = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.MATERIALIZED_VIEW)


def examine(context: Context, peer: Peer, pair: EntityPair) -> Verdict:
    """Compare the two tables; Skipped where no exact answer can be had."""
    foreign = why_unexaminable(peer.catalog, pair.right)
    if foreign is not None:
        return Skipped(f"target {pair.right_target}: {foreign}")
    try:
        return _examine(context, peer, pair)
    except (ChangedError, DamagedKeyError, TooManyDifferError) as why:
        return Skipped(str(why))


def _examine(context: Context, peer: Peer, pair: EntityPair) -> Verdict:
    both = Both(context, peer, pair)
    databases = both.each({side: _database() for side in SIDES})
    left, right = databases["left"][0], databases["right"][0]
    settled = settle(context, pair, peer)
    why_not = settled.reason if isinstance(settled, Skipped) else _why_not(settled, left, right)
    if isinstance(settled, Skipped) or why_not:
        return Skipped(why_not or "")
    plan = _plan(settled, left, right)
    return _Comparison(context, both, settled, plan, _mark(peer, plan, settled, right)).verdict()


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a pair is walked: its key's parts in the order of the walk, or all at once, and why so."""

    parts: tuple[Part, ...]
    ranges: bool
    why: str


class _Comparison:
    """One run, from what an earlier one that was broken off has left."""

    def __init__(self, context: Context, both: Both, pair: EntityPair, plan: _Plan, mark: str) -> None:
        self._context = context
        self._both = both
        self._pair = pair
        self._plan = plan
        self._mark = mark
        self._sides = {side: Asked(pair, side, plan.parts) for side in SIDES}
        self._tally = Tally(pair, context.sample)
        self._moving = Moving(both, self._sides, self._tally)
        self._kept = Kept(context.memory, self._order(), self._marks())

    def verdict(self) -> Verdict:
        """Compare, and put what was found into words."""
        self._both.by_index = self._plan.ranges
        walk = Walk(self._both, self._sides, self._tally, self._moving, self._kept)
        rows = {side: self._pair.table(side).rows_estimate or 0.0 for side in SIDES}
        largest = max(rows.values())
        low = None
        if self._plan.ranges:
            low = self._go_on()
            if low is None:
                self._both.state = {"of": self._mark, "believed": self._believed()}
            sides = sorted(SIDES, key=lambda side: -rows[side])
            walk.by_ranges(low, sides, self._context.chunk_seconds, largest)
        else:
            walk.at_once(largest)
        self._count_null_keys()
        self._moving.settle()
        figures = self._tally.figures()
        self._both.by_index = False
        return Examined(
            findings=tuple(self._findings(figures)),
            rows_examined=figures.left_rows + figures.right_rows - self._kept.spared,
            strategy="checksum_ranges" if self._plan.ranges else "checksum_buckets",
            explain=self._explain(),
            # What a run that was broken off had read was there at an earlier time.
            memory=self._kept.memory(self._marks()) if low is None else {},
            measures={
                "left_only": figures.left_only,
                "right_only": figures.right_only,
                "changed": figures.changed,
                "budget_rows": self._pair.budget,
            },
        )

    def _explain(self) -> str:
        sides = self._kept.unchanged
        if not self._kept.spared:
            return self._plan.why
        unread = " and ".join(self._pair.called(side) for side in sides)
        return f"{self._plan.why}; kept ones of {unread}: nothing was written there since they were read"

    def _order(self) -> str:
        """Return what stands for how the keys are walked along."""
        keys = [part.part.label for part in self._plan.parts]
        return _digest(__version__, self._plan.ranges, keys)

    def _marks(self) -> dict[str, str]:
        """Return what stands for all that decides the checksums of either side, empty where nobody knows."""
        context, peer = self._context, self._both.peer
        rests = {"left": (context.catalog, context.position), "right": (peer.catalog, peer.position)}
        marks = {}
        for side, (catalog, position) in rests.items():
            stored = not self._pair.computed and catalog.in_wal(self._pair.table(side))
            sums = self._sides[side].sums(Scope()).as_string(None)
            marks[side] = _digest(position, sums) if position and stored else ""
        return marks

    def _go_on(self) -> tuple[str, ...] | None:
        """Take up what a run that was broken off has left; return from where on, None for the beginning."""
        left: Any = self._context.resumed
        low, found, believed = left.get("low"), left.get("found"), left.get("believed")
        if left.get("of") != self._mark or not isinstance(found, Mapping) or not isinstance(low, Sequence):
            return None
        # What it believed of an earlier one is not to be believed for longer, nor by who asked for a run.
        if not isinstance(believed, Mapping) or not believed.items() <= self._marks().items():
            return None
        self._kept.spared = int(left.get("spared", 0))
        self._moving.take_up(self._tally.go_on(found))
        return tuple(map(str, low))

    def _believed(self) -> State:
        """Return what stands for the kept checksums that this run believes, by side."""
        marks = self._marks()
        return {side: marks[side] for side in self._kept.unchanged}

    def _count_null_keys(self) -> None:
        asked = {side: asked.null_keys() for side, asked in self._sides.items()}
        queries = {side: one for side, one in asked.items() if one is not None}
        known = {side: self._kept.null_keys(side) for side in queries}
        queries = {side: one for side, one in queries.items() if known[side] is None}
        counted = self._both.each(queries) if queries else {}
        for side, kept in known.items():
            rows = sum(row["rows"] for row in counted[side]) if kept is None else kept
            self._kept.spared += kept or 0
            self._tally.count_null_keys(side, rows)
            self._kept.keep_null_keys(side, rows)

    def _findings(self, figures: Figures) -> Iterator[Finding]:
        pair, evidence = self._pair, Evidence(self._both, self._pair, self._sides)
        if figures.drifted > pair.budget:
            met = sorted(self._tally.met, key=lambda one: self._sides["left"].order(one[0]))
            references = referenced_across(pair, self._context.catalog)
            rows = evidence.drift_rows(met, figures)
            yield report.drift(pair, figures, references, rows, evidence.drift(met, figures))
        if any(figures.duplicate_keys.values()):
            rows, shown = self._by_side(query.duplicates, figures.duplicate_keys)
            yield report.duplicates(pair, figures, rows, shown)
        if any(figures.null_keys.values()):
            rows, shown = self._by_side(query.null_keys, figures.null_keys)
            yield report.null_keys(pair, figures, rows, shown)
        yield from notes_across(pair, self._context.sample)

    def _by_side(self, compose: query.OfSide, counts: Mapping[str, int]) -> tuple[list[Row], str]:
        """Return a sample of what is at fault on either side, and the queries that show all of it."""
        pair, most = self._pair, self._context.sample
        sides = [side for side in SIDES if counts[side]]
        found = self._both.each(
            {side: query.at_most(compose(pair, side, query.aliases(pair)), most) for side in sides}
        )
        shown = {side: query.evidence(pair, compose(pair, side, query.labels(pair))) for side in sides}
        return [row for side in sides for row in found[side]][:most], by_target(
            self._both.target, pair, shown
        )


def _database() -> query.Composed:
    return load_sql("pgvigil_checks.across", "database.sql")


def _why_not(pair: EntityPair, left: Row, right: Row) -> str | None:
    """Say why nothing exact can be said of a pair."""
    for part in map(Part.of, pair.key):
        if (why := reason(part.part.equality, *part.columns)) is not None:
            return f"the key cannot be compared with another database: {why}"
    for column in pair.columns:
        if (why := reason(column.equality, column.left, column.right)) is not None:
            return f"a column cannot be compared with another database: {why}; list it under ignore"
    encodings = {left["encoding"], right["encoding"]}
    if len(encodings) > 1 or "SQL_ASCII" in encodings:
        names = " and ".join(sorted(encodings))
        return f"texts have no common bytes: the encoding of the databases is {names}"
    for one in (one for part in pair.key for one in Part.of(part).columns):
        if not one.faithful:
            what = f"{one.name} ({one.type}) in {left['encoding']}"
            return f"keys that differ may not be found again by what they are as text: {what}"
    return None


def _plan(pair: EntityPair, left: Row, right: Row) -> _Plan:
    parts = tuple(map(Part.of, pair.key))
    why = _why_at_once(pair, parts, left, right)
    if why is not None:
        return _Plan(parts, ranges=False, why=f"checksums of all keys at once: {why}")
    order = _index_order(pair, parts)
    if order is None:
        keys = ", ".join(part.part.label for part in parts)
        why = f"no index of both sides begins with {keys} in one order"
        return _Plan(parts, ranges=False, why=f"checksums of all keys at once: {why}")
    keys = ", ".join(part.part.label for part in order)
    return _Plan(order, ranges=True, why=f"checksums of ranges of {keys}")


def _why_at_once(pair: EntityPair, parts: Sequence[Part], left: Row, right: Row) -> str | None:
    """Say why keys cannot be walked along in one order on both sides."""
    for side in SIDES:
        table = pair.table(side)
        if table.kind not in _INDEXED or table.has_children:
            return f"{pair.called(side)} is no single table with an index"
    for part in parts:
        label = part.part.label
        if part.native is None:
            return f"{label} is compared in another form than an index holds"
        if part.native == "text" and not all(map(_by_bytes, part.columns, (left, right))):
            return f"the collations of {label} do not order by bytes"
    return None


def _by_bytes(column: Column, database: Row) -> bool:
    """Tell whether the order of a column is that of its bytes."""
    if column.collation in (("pg_catalog", "C"), ("pg_catalog", "POSIX")):
        return True
    if column.collation != ("pg_catalog", "default"):
        return False
    if database["provider"] == "b":
        return database["locale"] in ("C", "C.UTF-8") and database["encoding"] == "UTF8"
    return database["provider"] in ("c", None) and database["collation"] in ("C", "POSIX")


def _index_order(pair: EntityPair, parts: Sequence[Part]) -> tuple[Part, ...] | None:
    """Return the parts in an order in which an index of either side has them; None when there is none."""
    by_name = {part.columns[0].name: part for part in parts}
    for index in pair.left.indexes:
        names = [name for name in index.columns[: len(parts)] if name in by_name]
        if len(set(names)) != len(parts) or not _leads(pair.left, names):
            continue
        order = tuple(by_name[name] for name in names)
        if _leads(pair.right, [part.columns[1].name for part in order]):
            return order
    return None


def _leads(table: Table, names: Sequence[str]) -> bool:
    return any(
        index.method == "btree"
        and index.valid
        and not index.partial
        and list(index.columns[: len(names)]) == list(names)
        for index in table.indexes
    )


def _mark(peer: Peer, plan: _Plan, pair: EntityPair, right: Row) -> str:
    """Return what stands for the walk and the other side while a run that was broken off may go on."""
    catalog = peer.catalog
    tables = [table.shape for table in catalog.with_all_below(pair.right)]
    walk = [part.part.label for part in plan.parts]
    return _digest(walk, catalog.database, right["started"], tables)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode(errors="surrogatepass")).hexdigest()[:32]
