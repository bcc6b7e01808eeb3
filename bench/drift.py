"""Drift: two tables of one database with twelve columns, as people compare them and as table_drift does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing import get_context

from bench.databases import Examiner, by_hand, database, examiner
from bench.goal import Reached, at_least, at_most
from bench.measure import Measured, Work, measure
from bench.others import comparing
from bench.results import keep, peak_mb, resident_mb
from bench.shapes import short
from bench.strategies import CHUNK_SECONDS
from bench.twelve import COLUMNS, KEY, check, differing, expecting, hash_of, setup

_HASHES = f"SELECT ({hash_of('a')}), ({hash_of('b')})"
_EXCEPT = """
    SELECT (SELECT count(*) FROM (SELECT * FROM a EXCEPT SELECT * FROM b) AS l),
           (SELECT count(*) FROM (SELECT * FROM b EXCEPT SELECT * FROM a) AS r)
"""


def run(rows: int) -> Measured:
    """Compare with hashing both sides once, which tells that they differ and not where."""
    with (
        database(setup(rows)) as dsn,
        by_hand(dsn) as ask,
        _ours(dsn) as ours,
        comparing(dsn, KEY, list(COLUMNS)) as others,
    ):
        wanted = differing(rows)
        variants: dict[str, Work] = {
            "hash both sides": lambda: ask(_HASHES),
            "FULL JOIN": expecting(wanted, lambda: ask(_full_join())[0][0]),
            "EXCEPT both ways": lambda: ask(_EXCEPT),
            "table_drift": expecting(wanted, ours.anew),
            **{name: expecting(wanted, compare) for name, compare in others.items()},
        }
        measured = measure(
            f"drift of two tables of {short(rows)} rows; as a ratio to hashing both once",
            variants,
            rounds=3,
            patience=30.0,
        )
        version = ask("SHOW server_version")[0][0]
    keep("drift", {"server_version": version, **measured.kept()}, size=short(rows))
    return measured


def goals(children: int) -> Iterator[Reached]:
    """Compare at half as many rows as a relation has children, and with other tools where these survive."""
    rows, fewer = children // 2, min(children // 2, 500_000)
    with database(setup(rows)) as dsn, by_hand(dsn) as ask, _ours(dsn) as ours:
        wanted = differing(rows)
        ratios = measure(
            "drift",
            {"ours": expecting(wanted, ours.anew), "hash": lambda: ask(_HASHES)},
            rounds=3,
        ).seconds
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
            grown = child.submit(_growth, dsn, wanted).result()
    of = f"drift of two tables of {short(rows)} rows"
    yield at_most(f"{of}: table_drift / hashing both sides once", ratios["ours"] / ratios["hash"], 0.7)
    yield at_most(f"{of}: what the client's memory grows by at the most", grown, 64, "MB")
    measured = run(fewer)
    of = f"drift of two tables of {short(fewer)} rows"
    for tool, limit in (("data-diff joindiff", 8), ("data-diff hashdiff", 25)):
        if tool in measured.seconds:
            figure = measured.seconds[tool] / measured.seconds["table_drift"]
            yield at_least(f"{of}: {tool} / table_drift", figure, limit)


def _growth(dsn: str, wanted: int) -> float:
    """Return by how many megabytes a process grows in its first run; in a process of its own."""
    with _ours(dsn) as ours:
        before = resident_mb(os.getpid())
        expecting(wanted, ours.anew)()
        return peak_mb(os.getpid()) - before


def _ours(dsn: str) -> AbstractContextManager[Examiner]:
    return examiner(dsn, check(), "public.a <> public.b", chunk_seconds=CHUNK_SECONDS)


def _full_join() -> str:
    left, right = (", ".join(f"{table}.{name}" for name in COLUMNS) for table in "ab")
    return f"""
        SELECT count(*) FROM a FULL JOIN b ON a.{KEY} = b.{KEY}
        WHERE a.{KEY} IS NULL OR b.{KEY} IS NULL OR ({left}) IS DISTINCT FROM ({right})
    """
