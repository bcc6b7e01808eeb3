"""How schedules are written in cron's five fields."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pgvigil.timing import Cron, Scheduled


def test_a_field_is_a_star_numbers_ranges_steps_and_lists_of_these() -> None:
    cron = Cron.parse("*/20 1,3-5 1-10/4 */6 *")
    assert cron.minutes == {0, 20, 40}
    assert cron.hours == {1, 3, 4, 5}
    assert cron.days == {1, 5, 9}
    assert cron.months == {1, 7}
    assert cron.weekdays == {0, 1, 2, 3, 4, 5, 6}


def test_a_step_from_a_number_runs_to_the_end() -> None:
    assert Cron.parse("50/5 20/2 * * *").minutes == {50, 55}
    assert Cron.parse("50/5 20/2 * * *").hours == {20, 22}


def test_months_and_weekdays_have_names() -> None:
    cron = Cron.parse("0 0 * jan,Dec MON-fri")
    assert cron.months == {1, 12}
    assert cron.weekdays == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("sunday", ["0", "7", "sun"])
def test_sunday_has_two_numbers(sunday: str) -> None:
    assert Cron.parse(f"0 0 * * {sunday}").weekdays == {0}


def test_a_week_may_run_over_its_end() -> None:
    assert Cron.parse("0 0 * * 5-7").weekdays == {5, 6, 0}


def test_it_is_written_as_it_was_read() -> None:
    assert str(Cron.parse("  */5   *  * * mon ")) == "*/5 * * * mon"


def test_weekdays_go_by_name_to_the_scheduler_whose_numbers_differ() -> None:
    assert Cron.parse("0 4 * * 0,6").fields()["day_of_week"] == "sun,sat"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("@hourly", "five fields"),
        ("60 * * * *", r"'60' is no minute \(0 to 59\)"),
        ("* 24 * * *", r"'24' is no hour \(0 to 23\)"),
        ("* * 0 * *", r"'0' is no day of month \(1 to 31\)"),
        ("* * * 13 *", r"'13' is no month \(1 to 12\)"),
        ("* * * * 8", r"'8' is no day of week \(0 to 7\)"),
        ("* * * mon *", "'mon' is no month"),
        ("1-x * * * *", "'x' is no minute"),
        ("-5 * * * *", "'-5' is no minute that cron knows"),
        ("5,,6 * * * *", "'' is no minute that cron knows"),
        ("*/0 * * * *", "steps by zero"),
        ("30-10 * * * *", "runs backwards"),
        ("* * 31 2,4 *", "names a day that none of its months has"),
        ("* * 13 * fri", "restricts day of month and day of week"),
        ("\u0665 * * * *", "is no minute that cron knows"),
    ],
)
def test_a_schedule_that_no_cron_takes_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Cron.parse(text)


@pytest.mark.parametrize("value", [None, 5, ["*"], {"minute": 5}])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="five fields"):
        Cron.parse(value)


def test_the_last_day_of_february_is_a_day() -> None:
    assert Cron.parse("0 0 29 2 *").days == {29}


@given(st.text(alphabet="0123456789*/,- monfrjadec", max_size=30))
def test_any_text_is_a_schedule_or_is_refused(text: str) -> None:
    try:
        cron = Cron.parse(text)
    except ValueError:
        return
    assert cron.minutes <= set(range(60))
    assert cron.weekdays <= set(range(7))
    assert all((cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays))
    assert Cron.parse(str(cron)) == cron


def test_interval_and_cron_exclude_each_other() -> None:
    assert Scheduled().schedule is None
    assert Scheduled.model_validate({"every": "5m"}).schedule == timedelta(minutes=5)
    assert Scheduled.model_validate({"cron": "0 4 * * *", "every": None}).schedule == Cron.parse("0 4 * * *")
    with pytest.raises(ValidationError, match="every and cron exclude each other"):
        Scheduled.model_validate({"every": "5m", "cron": "0 4 * * *"})
