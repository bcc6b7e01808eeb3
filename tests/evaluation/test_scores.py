"""The evaluation's arithmetic, and that it compares what it says."""

from __future__ import annotations

import pytest
from evaluation.judging import plain
from evaluation.scores import Score, calibration, macro, micro, score

from pgvigil.catalog import parse_relation
from tests.evaluation.made import judged


def test_what_is_proposed_is_right_when_it_was_declared() -> None:
    counted = score(judged("abc", a=0.99, b=0.6, d=0.7))
    assert counted == Score(right=2, wrong=1, missed=1)
    assert (counted.precision, counted.recall, counted.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_what_is_not_likely_is_not_proposed() -> None:
    assert score(judged("ab", a=0.4, b=0.95), 0.9) == Score(right=1, wrong=0, missed=1)


def test_the_order_of_columns_plays_no_role_and_the_pairs_do() -> None:
    one, same, other = (
        plain(parse_relation(f"s.a({columns}) -> s.p({keys})"))
        for columns, keys in (("x, y", "k, l"), ("y, x", "l, k"), ("x, y", "l, k"))
    )
    assert one == same
    assert one != other


def test_micro_counts_keys_and_macro_schemas() -> None:
    scores = [Score(90, 10, 10), Score(0, 1, 1)]
    assert micro(scores) == Score(90, 11, 11)
    assert macro(scores).f1 == pytest.approx(0.45)


def test_a_schema_without_keys_or_proposals_has_no_errors() -> None:
    assert score(judged("")).f1 == 1.0


def test_probabilities_are_held_against_what_came_true() -> None:
    (low, high) = calibration([judged("ab", a=0.96, b=0.98, c=0.97, d=0.55)])
    assert (low.proposals, low.true) == (1, 0.0)
    assert low.said == pytest.approx(0.55)
    assert high.proposals == 3
    assert high.said == pytest.approx(0.97)
    assert high.true == pytest.approx(2 / 3)
