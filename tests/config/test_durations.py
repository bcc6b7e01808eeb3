"""How durations are written and read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from pgvigil.timing import Duration, Interval, format_duration, parse_duration


class Settings(BaseModel):
    wait: Duration = timedelta()
    every: Interval = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("90m", timedelta(minutes=90)),
        ("1h30m", timedelta(minutes=90)),
        ("7d", timedelta(days=7)),
        ("1d2h3m4s5ms", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)),
        ("0s", timedelta()),
    ],
)
def test_a_duration_is_numbers_with_units(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "5",
        "5 m",
        " 5m",
        "5m ",
        "m",
        "-5m",
        "+5m",
        "1.5h",
        "30m1h",
        "5min",
        "5M",
        "\u0665m",
        "5m\n",
        "1h1h",
    ],
)
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration such as 500ms, 30s, 5m, 1h30m or 7d$"):
        parse_duration(text)


@pytest.mark.parametrize("value", [None, True, [], {}, ["5m"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration"):
        parse_duration(value)


@pytest.mark.parametrize("value", [5, 0, 1.5])
def test_a_bare_number_is_asked_for_its_unit(value: float) -> None:
    with pytest.raises(ValueError, match=f"^{value} has no unit: write {value}ms, {value}s, {value}m"):
        parse_duration(value)


@given(st.integers(min_value=0, max_value=10**12))
def test_what_is_written_is_read_back(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("field", "text", "bounds"),
    [
        ("every", "999ms", "1s to 3650d"),
        ("every", "0s", "1s to 3650d"),
        ("wait", "3651d", "0s to 3650d"),
        ("wait", "999999d", "0s to 3650d"),
    ],
)
def test_a_duration_out_of_bounds_is_refused_with_the_bounds(field: str, text: str, bounds: str) -> None:
    with pytest.raises(ValidationError, match=f"expected a duration from {bounds}"):
        Settings.model_validate({field: text})


def test_the_bounds_belong_to_what_is_allowed() -> None:
    settings = Settings.model_validate({"every": "1s", "wait": "3650d"})
    assert settings.model_dump() == {"every": "1s", "wait": "3650d"}
