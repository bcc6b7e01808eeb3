"""Random pairs in two databases: what is counted is what a few lines of plain Python count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.checks.across.between import check_of, hurry, two_databases
from tests.checks.random_pairs import Pair, create, expect
from tests.conftest import SERVERS
from tests.servers import by_version

if TYPE_CHECKING:
    from pgvigil.run import Run
    from tests.checks.across.between import TwoDatabases

FAST, SLOW = 25, 300
FIRST = 20_000
CHUNKINGS = {
    "whole": {"FIRST_ROWS": 10**6, "LEAF_KEYS": 10**6, "MOST_FETCHED": 10**6},
    "tiny": {"FIRST_ROWS": 1, "LEAF_KEYS": 1, "MOST_FETCHED": 1},
    "small": {"FIRST_ROWS": 7, "LEAF_KEYS": 3, "MOST_FETCHED": 5},
}


def expect_with_sample(run: Run, pair: Pair) -> None:
    """Hold a run against plain Python; its evidence is two queries, which are tested elsewhere."""
    drift = expect(run, pair)
    if drift is not None:
        keys = pair.count().keys
        assert len(drift.sample) == min(sum(keys.values()), 20), pair
        assert {row["drift"] for row in drift.sample} <= keys.keys(), pair


def compare(
    seeds: range, databases: TwoDatabases, chunking: str, monkeypatch: pytest.MonkeyPatch, *, indexed: bool
) -> set[str]:
    hurry(monkeypatch)
    for name, value in CHUNKINGS[chunking].items():
        monkeypatch.setattr(f"pgvigil_checks.across.walk.{name}", value)
    databases.chunk_seconds = None if chunking == "whole" else 1e-6
    pairs = [Pair(seed) for seed in seeds]
    for pair in pairs:
        pair.stored = ("indexed", "indexed") if indexed else pair.stored
    for side, dsn in enumerate((databases.left, databases.right)):
        with psycopg.connect(dsn, autocommit=True) as conn:
            create(conn, pairs, [side])
    runs = databases.runs(check_of(*(pair.settings for pair in pairs)))
    for pair in pairs:
        left, right = pair.tables
        expect_with_sample(runs[f"public.{left} <> other:public.{right}"], pair)
    return {run.strategy for run in runs.values()}


@pytest.mark.parametrize("indexed", [False, True], ids=["stored", "indexed"])
@pytest.mark.parametrize("chunking", CHUNKINGS)
def test_random_pairs_are_counted_as_in_plain_python(
    chunking: str, indexed: bool, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the oldest server on one side, and the newest one on the other."""
    servers = pytestconfig.stash[SERVERS]
    oldest, newest = min(by_version()), max(by_version())
    first = FIRST + 200 * list(CHUNKINGS).index(chunking) + 100 * indexed
    with two_databases(servers.get(oldest), servers.get(newest)) as databases:
        seeds = range(first, first + FAST)
        strategies = compare(seeds, databases, chunking, monkeypatch, indexed=indexed)
    assert ("checksum_ranges" if indexed else "checksum_buckets") in strategies


@pytest.mark.slow
@pytest.mark.parametrize("chunking", CHUNKINGS)
@pytest.mark.parametrize("versions", [(a, b) for a in by_version() for b in by_version()], ids=str)
def test_many_random_pairs_between_all_versions(
    versions: tuple[int, int], chunking: str, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = pytestconfig.stash[SERVERS]
    first = FIRST + 1000 + SLOW * (10 * versions[0] + versions[1])
    with two_databases(*map(servers.get, versions)) as databases:
        compare(range(first, first + SLOW), databases, chunking, monkeypatch, indexed=False)
