"""Agreement counts beyond chance, and tolerances are what today's data keep within."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvigil.inference.pairs_agreement import FEWEST_ROWS, agreement
from pgvigil.inference.pairs_values import Kind

DICE = random.Random(3)
WORDS = [f"w{DICE.randrange(60)}" for _ in range(300)]
FLAGS = [DICE.choice(("true", "false")) for _ in range(300)]
NUMBERS = [str(DICE.randrange(100_000) / 100) for _ in range(300)]


def shuffled(values: list[str]) -> list[str]:
    return random.Random(4).sample(values, len(values))


def test_the_same_values_agree_wholly_and_others_not_at_all() -> None:
    same = agreement(WORDS, WORDS, Kind.TEXT)
    other = agreement(WORDS, shuffled(WORDS), Kind.TEXT)
    assert same is not None
    assert other is not None
    assert (same.share, same.kappa) == (1.0, 1.0)
    assert abs(other.kappa) < 0.05


def test_flags_that_agree_on_half_of_the_rows_have_nothing_to_do_with_each_other() -> None:
    found = agreement(FLAGS, shuffled(FLAGS), "boolean")
    assert found is not None
    assert 0.4 < found.share < 0.6
    assert abs(found.kappa) < 0.15


def test_a_constant_on_both_sides_proves_nothing() -> None:
    found = agreement(["x"] * 50, ["x"] * 50, Kind.TEXT)
    assert found is not None
    assert (found.share, found.kappa) == (1.0, 0.0)


def test_rows_without_a_value_on_either_side_do_not_count() -> None:
    assert agreement([None] * 50, [None] * 50, Kind.TEXT) is None
    assert agreement(["a"] * (FEWEST_ROWS - 1), ["a"] * (FEWEST_ROWS - 1), Kind.TEXT) is None
    found = agreement([*WORDS, None], [*WORDS, "w"], Kind.TEXT)
    assert found is not None
    assert found.rows == 301
    assert found.share < 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=FEWEST_ROWS, max_size=60))
def test_it_is_never_more_than_one_and_does_not_depend_on_the_side(pairs: list[tuple[str, str]]) -> None:
    left, right = [one for one, _ in pairs], [other for _, other in pairs]
    found = agreement(left, right, Kind.TEXT)
    assert found is not None
    assert found.kappa <= 1
    assert found.share == sum(one == other for one, other in pairs) / len(pairs)


@pytest.mark.parametrize(
    ("apart", "tolerance"),
    [(0.0, None), (0.004, 0.005), (0.011, 0.02), (0.3, 0.5), (1.0, 1.0), (700.0, None)],
)
def test_numbers_that_differ_a_little_need_a_round_tolerance(apart: float, tolerance: float | None) -> None:
    found = agreement(NUMBERS, [str(round(float(value) + apart, 4)) for value in NUMBERS], Kind.NUMBER)
    assert found is not None
    assert found.tolerance == tolerance
    assert (found.kappa > 0.8) == (apart < 10)


@pytest.mark.parametrize(
    ("apart", "tolerance"), [(0.0, None), (0.3, "1s"), (600, "15m"), (3 * 3600, "6h"), (40 * 86400, None)]
)
def test_moments_need_a_duration_that_people_use(apart: float, tolerance: str | None) -> None:
    moments = [str(1_700_000_000 + DICE.randrange(365 * 86400)) for _ in range(200)]
    found = agreement(moments, [str(float(value) + apart) for value in moments], Kind.MOMENT)
    assert found is not None
    assert found.tolerance == tolerance


def test_a_few_rows_that_differ_are_faults_and_need_no_tolerance() -> None:
    others = [*NUMBERS]
    others[:10] = [str(float(value) + 3) for value in others[:10]]
    found = agreement(NUMBERS, others, Kind.NUMBER)
    assert found is not None
    assert found.tolerance is None
    assert found.share < 1


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_numbers_that_have_no_difference_do_no_harm(odd: str) -> None:
    found = agreement([*NUMBERS, odd], [*NUMBERS, odd], Kind.NUMBER)
    assert found is not None
    assert found.share == 1.0
