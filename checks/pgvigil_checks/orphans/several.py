"""Several relations of one big child, for all of which it is read once: in one snapshot, or walked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from psycopg import sql

from pgvigil.catalog import ForeignKey, TableKind
from pgvigil.check import Batch, Context, Subject, Verdict
from pgvigil_checks.orphans.bitmap import WIDEST
from pgvigil_checks.orphans.bits import Bits, gather, spans
from pgvigil_checks.orphans.changed import lost_now, written
from pgvigil_checks.orphans.dense import Dense, between, count_keys
from pgvigil_checks.orphans.facts import INTEGERS, Facts, gather_facts
from pgvigil_checks.orphans.paths import ByKey, Parent, has_key, takes_long
from pgvigil_checks.orphans.planner import choose
from pgvigil_checks.orphans.scan import count_lacking
from pgvigil_checks.orphans.strategy import Counted
from pgvigil_checks.orphans.verdict import How, examined, is_trusted
from pgvigil_checks.orphans.walk import Walked, walk
from pgvigil_checks.references import Reference

# Their bits are all held at once, here and by the server: 8 MB each at the most, 2 MB in a walk.
_MOST = 8
_WIDEST_TOGETHER = 1 << 25
# What one relation more costs for each row that is read anyway.
_CHILD = 0.8
_CHILD_DENSE = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """One relation of several: its subject, its own context, and what is known of it."""

    subject: Subject
    context: Context
    facts: Facts

    @property
    def reference(self) -> Reference:
        """The relation."""
        return self.facts.reference

    def verdict(self, strategy: str, seen: Walked, among: sql.Composed | None, together: int) -> Verdict:
        """Make a verdict of what was counted."""
        lost = lost_now(self.context, self.reference, seen.orphans, among, remember=False)
        why = f"{strategy}: the child is read together for {together} of its relations"
        memory = {**self.context.memory, **lost}
        return examined(self.context, self.reference, seen, How(strategy, why, among, memory))


def big_together(subjects: Iterable[Subject]) -> Iterator[Sequence[Subject]]:
    """Yield the relations of each big child that may be read together, and each other one alone."""
    by_child: dict[tuple[int, bool], list[Subject]] = {}
    for subject in subjects:
        if is_big(subject):
            declared = isinstance(subject.payload, ForeignKey)
            by_child.setdefault((subject.payload.child.oid, declared), []).append(subject)
        else:
            yield (subject,)
    for several in by_child.values():
        for at in range(0, len(several), _MOST):
            yield several[at : at + _MOST]


def is_big(subject: Subject) -> bool:
    """Tell whether a relation is one of integers, whose child takes long to read."""
    key = subject.payload
    names = key if isinstance(key, ForeignKey) else key.name
    sides = ((key.child, names.child_columns), (key.parent, names.parent_columns))
    return takes_long(key.child) and all(
        table.kind in (TableKind.TABLE, TableKind.PARTITIONED)
        and len(columns) == 1
        and (column := table.column(columns[0])) is not None
        and column.type in INTEGERS
        for table, columns in sides
    )


def examine_together(context: Batch, relations: Sequence[tuple[Subject, Reference]]) -> dict[str, Verdict]:
    """Judge every row of the child for each of its relations, but those that are better judged alone."""
    parts = []
    for subject, reference in relations:
        own = context.of(subject)
        # Where it is known what was written, a few look-ups do.
        part = None if written(own, reference) else fit(subject, own, reference)
        parts += [part] if part else []
    if len(parts) < 2:
        return {}
    if context.chunk_seconds is not None and has_key(context, parts[0].reference.child):
        walked = walk_together(context, parts)
        return {
            part.subject.name: part.verdict(
                path.name, found, path.at(found.lost) if found.lost else None, len(walked)
            )
            for part, path, found in walked
            if is_trusted(part.context, found)
        }
    return {
        part.subject.name: part.verdict(
            "bitmap", Walked(counted.rows, counted.orphans), counted.among, len(parts)
        )
        for part, counted in zip(parts, scan_together(context, parts), strict=True)
    }


def fit(subject: Subject, context: Context, reference: Reference) -> Part | None:
    """Return what is known of a relation; None where it costs less by itself, or nothing is won."""
    facts = gather_facts(context, reference)
    if not spans(facts, WIDEST) or facts.ends is None:
        return None
    child = _CHILD_DENSE if _may_be_dense(facts) else _CHILD
    _, alone = choose(facts, context.memory).order[0]
    return None if alone < child * facts.children + facts.parents else Part(subject, context, facts)


def scan_together(context: Batch, parts: Sequence[Part]) -> list[Counted]:
    """Count the orphans of each relation in one scan of the child."""
    known: dict[Parent, Bits] = {}
    each = [_bits(context, part.facts, known) for part in parts]
    orphans = count_lacking(context, parts[0].reference, each)
    rows = round(parts[0].facts.children)
    return [Counted(rows, count, among=bits.lack) for count, bits in zip(orphans, each, strict=True)]


def walk_together(context: Batch, parts: Sequence[Part]) -> list[tuple[Part, ByKey, Walked]]:
    """Walk the child along its key once for all relations that this is for; nothing where that can't be."""
    paths = []
    width = 0
    for part in parts:
        path = ByKey(part.facts)
        width += part.facts.width
        if path.sifts and width <= _WIDEST_TOGETHER:
            paths.append((part, path))
    if len(paths) < 2:
        return []
    answer = walk(context, [path for _, path in paths])
    if answer is None:
        return []
    return [(part, path, walked) for (part, path), walked in zip(paths, answer, strict=True)]


def _bits(context: Context, facts: Facts, known: dict[Parent, Bits]) -> Bits:
    """Return the keys of one relation's parent in this snapshot."""
    ((column, key),) = facts.reference.columns
    of = facts.reference.parent.oid, key.name
    if of not in known:
        keys = count_keys(context, facts) if _may_be_dense(facts) else None
        known[of] = gather(context, facts) if keys is None or keys.holes else between(facts, keys)
    return replace(known[of], column=column)


def _may_be_dense(facts: Facts) -> bool:
    return facts.parent.unique and Dense().cost(facts) < float("inf")
