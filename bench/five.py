"""Five relations of one child, all of which are examined in one sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from bench.databases import by_hand, database, target_of
from bench.goal import Reached, at_most, told
from bench.measure import measure
from bench.shapes import ORPHANS, short
from bench.strategies import CHUNK_SECONDS
from pgvigil.catalog import Scope
from pgvigil.governor import Governor
from pgvigil.run import Run
from pgvigil.runner import RunLimits, Runner
from pgvigil.sweep import sweep
from pgvigil_checks.orphan_rows import OrphanRows

_RELATIONS = range(1, 6)


def goals(children: int) -> Iterator[Reached]:
    """Compare one sweep over all five, as the daemon's by default, with one scan that counts all."""
    parents = children // 10
    check = OrphanRows(OrphanRows.params_type())
    with (
        database(_setup(children, parents)) as dsn,
        by_hand(dsn) as ask,
        target_of(dsn) as target,
    ):
        catalog = target.read_catalog(Scope())
        subjects = check.discover(catalog).subjects

        def examine(orphans: int, chunk_seconds: float | None) -> None:
            runner = Runner(target, RunLimits(chunk_seconds=chunk_seconds))
            for runs in sweep(runner, Governor(), check, subjects, catalog):
                for run in runs:
                    _expect(orphans, run)

        for chunk_seconds in (CHUNK_SECONDS, None):
            examine(ORPHANS, chunk_seconds)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"DELETE FROM child WHERE id <= {ORPHANS}")
            connection.execute("VACUUM ANALYZE child")
        measured = measure(
            "five relations",
            {
                "one": lambda: ask(f"SELECT {_counts()} FROM child"),
                "one column": lambda: ask("SELECT count(parent_1) FROM child"),
                "by hand": lambda: [_not_exists(ask, number) for number in _RELATIONS],
                "ours": lambda: examine(0, CHUNK_SECONDS),
                "in one snapshot": lambda: examine(0, None),
            },
            rounds=3,
            patience=10.0,
        )
    of = f"five relations of {short(children)} children to {short(parents)} parents each, not indexed"
    seconds = measured.seconds
    for ours, how in (("ours", "in chunks"), ("in one snapshot", "in one snapshot")):
        ratio = seconds[ours] / seconds["one"]
        yield at_most(f"{of}: orphan_rows, {how} / one scan that counts all five", ratio, 2.5)
    yield told(f"{of}: orphan_rows / one scan that counts one", seconds["ours"] / seconds["one column"])
    yield told(f"{of}: five times NOT EXISTS / orphan_rows", seconds["by hand"] / seconds["ours"])


def _setup(children: int, parents: int) -> str:
    columns = ", ".join(f"parent_{number} bigint" for number in _RELATIONS)
    values = ", ".join(
        f"CASE WHEN k <= {ORPHANS} THEN {parents} + k ELSE floor(1 + random() * {parents})::bigint END"
        for _ in _RELATIONS
    )
    tables = "".join(
        f"CREATE TABLE parent_{number} (id bigint PRIMARY KEY);"
        f"INSERT INTO parent_{number} SELECT generate_series(1, {parents});"
        for number in _RELATIONS
    )
    keys = "".join(
        f"ALTER TABLE child ADD FOREIGN KEY (parent_{number}) REFERENCES parent_{number} NOT VALID;"
        for number in _RELATIONS
    )
    return f"""
        {tables}
        CREATE TABLE child (id bigint PRIMARY KEY, {columns});
        INSERT INTO child SELECT k, {values} FROM generate_series(1::bigint, {children}) AS k;
        {keys}
    """


def _counts() -> str:
    return ", ".join(f"count(parent_{number})" for number in _RELATIONS)


def _not_exists(ask: Callable[[str], Any], number: int) -> Any:
    return ask(
        f"SELECT count(*) FROM child c"
        f" WHERE NOT EXISTS (SELECT FROM parent_{number} p WHERE p.id = c.parent_{number})"
    )


def _expect(orphans: int, run: Run) -> None:
    if run.error or sum(one.count for one in run.findings) != orphans:
        raise SystemExit(f"not {orphans} orphans: {run}")
