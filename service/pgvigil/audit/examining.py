"""What the installed checks say of relations: which of them are broken, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate, takewhile

from psycopg import sql

from pgvigil.catalog import Catalog, RelationName, Table, TableKind, parse_relation
from pgvigil.check import Severity, Subject
from pgvigil.context import ALONE
from pgvigil.errors import CancelledError, QueryFailedError
from pgvigil.routing import routed_sweep
from pgvigil.run import Run
from pgvigil.sight import Sight
from pgvigil.watch import Watch

KEYS = "foreign_keys"
ROWS = "orphan_rows"

_MOST_PAGES = 131_072  # 1 GB

# Of what somebody holds nothing is said: to ask for its size would wait, as to read it does.
_SIZES = sql.SQL("""
    SELECT oid, coalesce(pg_relation_size(oid) / current_setting('block_size')::bigint, 0) AS pages
    FROM unnest({}::bigint[]) AS oid
    WHERE NOT EXISTS (
        SELECT FROM pg_locks AS l
        WHERE l.relation = oid AND l.mode = 'AccessExclusiveLock'
          AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    )
""")

# What cannot be told without a check.
_TELLS = {
    KEYS: "which foreign keys do not protect",
    ROWS: "which relations have rows without a parent",
}

Progress = Callable[[str, float, int], None]
"""Told of a step, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a relation does not hold, and how bad that is; `counted` tells that rows of the child were seen."""

    why: str
    impact: Severity
    counted: bool = False


@dataclass(frozen=True)
class Judged:
    """What the checks said, by the subject's name; `unknown` says in a line each what they could not say.

    `relations` are those that settings name and nobody declared; `missing` are the ones of them that the
    settings want to be declared.
    """

    broken: Mapping[str, Broken] = field(default_factory=dict)
    relations: Mapping[str, RelationName] = field(default_factory=dict)
    missing: Collection[str] = frozenset()
    unknown: tuple[str, ...] = ()


def judge(watch: Watch, catalog: Catalog, *, rows: bool, progress: Progress) -> Judged:
    """Let the checks look at every relation; with `rows` also at the rows, as long as there are few.

    Raises TargetError when the target is lost, ConfigError when a setting does not fit the catalog.
    """
    subjects = {name: _subjects(watch, name, catalog) for name in _TELLS}
    declared = {key.subject for key in catalog.watched_foreign_keys()}
    named = {
        one.name: relation
        for one in (*subjects[KEYS], *subjects[ROWS])
        if one.name not in declared and (relation := _parsed(one.name))
    }
    runs = _runs(watch, KEYS, subjects[KEYS], catalog, progress)
    few, many = _by_size(watch, catalog, subjects[ROWS]) if rows else ([], [])
    runs += _runs(watch, ROWS, few, catalog, progress)
    return Judged(
        broken=_broken(runs),
        relations=named,
        missing={one.name for one in subjects[KEYS]} & named.keys(),
        unknown=(*_not_asked(watch, rows=rows), *_too_big(many), *_not_judged(runs)),
    )


def _subjects(watch: Watch, name: str, catalog: Catalog) -> list[Subject]:
    check = watch.checks.get(name)
    if check is None:
        return []
    discovery = watch.runner.discover(check, catalog)
    for problem in discovery.problems:
        raise watch.misfit(name, problem)
    return list(discovery.subjects)


def _parsed(name: str) -> RelationName | None:
    """Return the relation of a subject, which may have words in brackets behind it; else None."""
    for text in (name, name.rpartition(" (")[0]):
        with suppress(ValueError):
            return parse_relation(text)
    return None


def _by_size(
    watch: Watch, catalog: Catalog, subjects: Iterable[Subject]
) -> tuple[list[Subject], list[Subject]]:
    """Return the relations with the least to read, up to 1 GB in all, and the others."""
    parts = [
        (subject, [part for table in subject.reads or subject.rows for part in _parts(catalog, table)])
        for subject in subjects
    ]
    measured = _measured(watch, {part.oid: part for _, each in parts for part in each}.values())
    sized = [(sum(measured.get(part.oid, part.pages) for part in each), subject) for subject, each in parts]
    sized.sort(key=lambda one: one[0])
    totals = accumulate(pages for pages, _ in sized)
    few = sum(1 for _ in takewhile(lambda total: total <= _MOST_PAGES, totals))
    return [subject for _, subject in sized[:few]], [subject for _, subject in sized[few:]]


def _parts(catalog: Catalog, table: Table) -> list[Table]:
    """Return the tables that hold the rows of a table."""
    if table.kind is not TableKind.PARTITIONED:
        return [table]
    return [one for one in catalog.with_all_below(table) if one.kind is not TableKind.PARTITIONED]


def _measured(watch: Watch, tables: Iterable[Table]) -> dict[int, int]:
    """Return the pages of those tables that were never analysed, as after an upgrade, by oid.

    One that somebody holds is left out: the check tells who. Where one was locked just then, all of them are
    taken for too large to be read.
    """
    unknown = [one.oid for one in tables if one.rows_estimate is None and one.kind is TableKind.TABLE]
    if not unknown:
        return {}
    try:
        with watch.target.snapshot("audit") as snapshot:
            rows = snapshot.fetch(_SIZES.format(sql.Literal(unknown)), most_rows=None)
    except QueryFailedError:
        return dict.fromkeys(unknown, _MOST_PAGES + 1)
    return {row["oid"]: row["pages"] for row in rows}


def _runs(
    watch: Watch, name: str, subjects: Sequence[Subject], catalog: Catalog, progress: Progress
) -> list[Run]:
    runs: list[Run] = []
    progress(name, 0, len(subjects))
    if subjects:
        for some in routed_sweep(watch, watch.checks[name], subjects, Sight(catalog, None), lambda _: ALONE):
            runs += some
            progress(name, len(runs), len(subjects))
    if len(runs) < len(subjects):
        raise CancelledError(f"target {watch.target.name}: the audit was stopped")
    return runs


def _broken(runs: Iterable[Run]) -> dict[str, Broken]:
    """Return the relations with faults; what is only to be noted breaks none."""
    broken: dict[str, Broken] = {}
    for run in runs:
        faults = [one for one in run.findings if one.severity is not Severity.INFO]
        if not run.outcome.completed or not faults:
            continue
        before = [broken[run.subject]] if run.subject in broken else []
        broken[run.subject] = Broken(
            why="; ".join([*(one.why for one in before), *(one.title for one in faults)]),
            impact=max((*(one.impact for one in before), *(one.severity for one in faults)), key=_rank),
            counted=run.check == ROWS or any(one.counted for one in before),
        )
    return broken


def _rank(severity: Severity) -> int:
    return severity.rank


def _not_asked(watch: Watch, *, rows: bool) -> Iterator[str]:
    for name, what in _TELLS.items():
        if name not in watch.checks:
            yield f"{what}: the check {name} is disabled"
        elif name == ROWS and not rows:
            yield f"{what}: no rows were read"


def _too_big(subjects: Sequence[Subject]) -> Iterator[str]:
    if subjects:
        relations = "one relation" if len(subjects) == 1 else f"{len(subjects):,} relations"
        yield f"{_TELLS[ROWS]}: {relations} left out, more than 1 GB to read; pgvigil check does that"


def _not_judged(runs: Iterable[Run]) -> Iterator[str]:
    for run in runs:
        if not run.outcome.completed:
            yield f"{run.subject}: {run.check}: {run.error or run.outcome}"
