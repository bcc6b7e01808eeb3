"""A sketch tells how far two sets overlap, as a plain comparison of the whole sets would."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvigil.catalog import TableName
from pgvigil.inference import sketch as sketches
from pgvigil.inference.pairs_sampling import PairSampler
from pgvigil.inference.sketch import Overlap, Sketch, overlap
from tests.inference.pairs import fetch_of, opened

if TYPE_CHECKING:
    from collections.abc import Collection

    import psycopg

HASHES = st.sets(st.integers(-(2**63), 2**63 - 1), max_size=60)


def sketched(hashes: Collection[int], size: int) -> Sketch:
    return Sketch(tuple(sorted(hashes)[:size]), len(hashes), len(hashes))


@given(HASHES, HASHES, HASHES)
def test_of_sets_that_fit_it_knows_the_overlap(one: set[int], other: set[int], both: set[int]) -> None:
    left, right = one | both, other | both
    assert overlap(sketched(left, 200), sketched(right, 200)) == Overlap(
        len(left), len(right), len(left & right)
    )


@given(HASHES, HASHES, HASHES, st.integers(1, 30))
def test_of_larger_sets_it_compares_all_below_the_least_bound_and_nothing_else(
    one: set[int], other: set[int], both: set[int], size: int
) -> None:
    left, right = one | both, other | both
    bounds = [sorted(side)[size - 1] for side in (left, right) if len(side) > size]
    below = [{value for value in side if value <= min(bounds, default=value)} for side in (left, right)]
    found = overlap(sketched(left, size), sketched(right, size))
    assert found == Overlap(len(below[0]), len(below[1]), len(below[0] & below[1]))
    assert overlap(sketched(right, size), sketched(left, size)).both == found.both


@pytest.mark.parametrize("shared", [0.0, 0.05, 0.5, 0.95, 1.0])
def test_its_estimate_is_right_within_a_few_percent(shared: float) -> None:
    dice = random.Random(7)
    hashes = [dice.getrandbits(63) for _ in range(60_000)]
    left, both = set(hashes[:30_000]), int(30_000 * shared)
    right = set(hashes[30_000 - both : 60_000 - both])
    found = overlap(sketched(left, sketches.SIZE), sketched(right, sketches.SIZE))
    assert found.of_left == pytest.approx(shared, abs=0.04)
    assert found.of_right == pytest.approx(shared, abs=0.04)
    assert found.jaccard == pytest.approx(len(left & right) / len(left | right), abs=0.04)


def test_of_nothing_no_share_is_known_to_be_shared() -> None:
    nothing = sketched((), 10)
    assert overlap(nothing, nothing) == Overlap(0, 0, 0)
    assert (overlap(nothing, nothing).of_left, overlap(nothing, nothing).jaccard) == (0.0, 0.0)
    assert nothing.uniqueness == 0.0


TYPES = """
    CREATE TABLE whole (k bigint); CREATE TABLE exact (k numeric(12, 3));
    CREATE TABLE word (k text); CREATE TABLE padded (k char(8));
    CREATE TABLE "Short; --" ("k"" %s" varchar(9));
    INSERT INTO whole SELECT n FROM generate_series(1, 5000) AS n;
    INSERT INTO exact SELECT n FROM generate_series(2501, 7500) AS n;
    INSERT INTO word SELECT 'w' || n FROM generate_series(1, 100) AS n;
    INSERT INTO padded SELECT 'w' || n FROM generate_series(51, 150) AS n;
    INSERT INTO "Short; --" SELECT 'w' || n FROM generate_series(1, 100) AS n;
    INSERT INTO word VALUES (NULL), ('w1'), ('w1');
"""


@pytest.mark.every_pg
def test_the_server_gives_equal_values_one_hash_whatever_their_type(
    database: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(TYPES)
    with opened(database) as target:
        catalog, sampler = target.read_catalog(), PairSampler(fetch_of(target))

        def sketch(name: str) -> Sketch:
            table = catalog.table(TableName("public", name))
            assert table is not None
            found = sampler.sketch(table, table.columns[:1])
            assert found is not None
            return found

        numbers = overlap(sketch("whole"), sketch("exact"))
        assert numbers.of_left == pytest.approx(0.5, abs=0.05)
        assert (sketch("whole").distinct, len(sketch("whole").hashes)) == (5000, sketches.SIZE)
        assert overlap(sketch("word"), sketch("padded")) == Overlap(100, 100, 50)
        assert overlap(sketch("word"), sketch("Short; --")) == Overlap(100, 100, 100)
        assert (sketch("word").rows, sketch("word").nulls, sketch("word").distinct) == (102, 1, 100)
