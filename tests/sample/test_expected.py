"""Holding a report against the answer key."""

from __future__ import annotations

from pgvigil.sample import AnswerKey, Kind, Planted

ORPHANS = Planted(
    fault="lost",
    kind=Kind.ORPHANS,
    description="rows without a parent",
    tables=("a.child", "a.parent"),
    columns=("parent_id",),
    rows=3,
    relation="a.child(parent_id) -> a.parent(id)",
)
REPORTED = ("orphan_rows", "a.child(parent_id) -> a.parent(id)", "critical", 3)
PAIR = "a.left <> a.right"


def drifted(kind: Kind, rows: int) -> Planted:
    return Planted(kind.value, kind, kind.value, ("a.left", "a.right"), ("title",), rows, pair=PAIR)


def expected(*faults: Planted) -> list[tuple[str, str, str, int]]:
    return [one.reported for one in AnswerKey.of(1, faults).expected()]


def test_a_report_that_says_the_same_agrees() -> None:
    comparison = AnswerKey.of(1, [ORPHANS]).compare([REPORTED])
    assert comparison
    assert comparison.missed == ()
    assert comparison.unplanted == ()


def test_what_is_missing_is_missed_and_named_in_words() -> None:
    comparison = AnswerKey.of(1, [ORPHANS]).compare([])
    assert not comparison
    assert [missed.fault for missed in comparison.missed] == ["rows without a parent"]


def test_what_nobody_planted_is_unplanted_unless_it_is_a_note() -> None:
    answer = AnswerKey(1, ())
    assert answer.compare([(*REPORTED[:2], "info", 3)])
    comparison = answer.compare([REPORTED])
    assert not comparison
    assert comparison.unplanted == (REPORTED,)


def test_a_wrong_count_is_both() -> None:
    wrong = (*REPORTED[:3], 4)
    comparison = AnswerKey.of(1, [ORPHANS]).compare([wrong])
    assert [missed.count for missed in comparison.missed] == [3]
    assert comparison.unplanted == (wrong,)


def test_a_finding_that_is_reported_twice_is_once_too_many() -> None:
    assert AnswerKey.of(1, [ORPHANS]).compare([REPORTED, REPORTED]).unplanted == (REPORTED,)


def test_partial_nulls_are_counted_apart() -> None:
    breach = Planted(
        "b", Kind.TRIGGERS_DISABLED, "b", ("a.b",), ("x", "y"), 5, relation="r", partially_null=2
    )
    assert expected(breach) == [
        ("foreign_keys", "r", "critical", 1),
        ("orphan_rows", "r", "critical", 2),
        ("orphan_rows", "r", "critical", 3),
    ]


def test_drift_of_all_faults_is_one_finding() -> None:
    faults = [drifted(Kind.LEFT_ONLY, 1), drifted(Kind.RIGHT_ONLY, 2), drifted(Kind.CHANGED, 4)]
    assert expected(*faults) == [("table_drift", PAIR, "warning", 7)]


def test_what_is_tolerated_is_not_reported() -> None:
    assert expected(drifted(Kind.TOLERATED, 9)) == []


def test_rows_without_identity_are_no_drift() -> None:
    faults = [
        drifted(Kind.LEFT_DUPLICATE, 1),
        drifted(Kind.LEFT_NULL_KEY, 2),
        drifted(Kind.RIGHT_NULL_KEY, 4),
    ]
    assert expected(*faults) == [
        ("table_drift", PAIR, "warning", 1),
        ("table_drift", PAIR, "warning", 6),
    ]
