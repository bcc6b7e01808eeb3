"""How settings write time: durations (`30s`, `1h30m`) and cron schedules, as fields of pydantic models."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Self, TypeAlias

from pydantic import (
    BaseModel,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

_DURATION = re.compile(
    r"(?:(?P<days>[0-9]{1,6})d)?(?:(?P<hours>[0-9]{1,6})h)?(?:(?P<minutes>[0-9]{1,6})m)?"
    r"(?:(?P<seconds>[0-9]{1,6})s)?(?:(?P<milliseconds>[0-9]{1,9})ms)?"
)
# Durations are added to dates, and must not leave the calendar.
_LONGEST = timedelta(days=3650)


def parse_duration(value: object) -> timedelta:
    """Read `500ms`, `30s`, `5m`, `1h30m`, `30d`; raises ValueError with a message for whoever wrote it."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if value and isinstance(value, str) else None
    if match is None:
        raise ValueError(_duration_advice(value))
    return timedelta(**{unit: int(number) for unit, number in match.groupdict(default="0").items()})


def _duration_advice(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value} has no unit: write {value}ms, {value}s, {value}m, {value}h or {value}d"
    return "expected a duration such as 500ms, 30s, 5m, 1h30m or 7d"


def format_duration(duration: timedelta) -> str:
    """Write a duration as `parse_duration` reads it."""
    rest = round(duration.total_seconds() * 1000)
    text = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


@dataclass(frozen=True, slots=True)
class Within:
    """Marks a timedelta field as written by `parse_duration`, between two bounds (both included)."""

    at_least: str = "0s"
    at_most: str = f"{_LONGEST.days}d"

    def _read(self, value: object) -> timedelta:
        duration = parse_duration(value)
        if not parse_duration(self.at_least) <= duration <= parse_duration(self.at_most):
            raise ValueError(f"expected a duration from {self.at_least} to {self.at_most}")
        return duration

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._read, serialization=core_schema.plain_serializer_function_ser_schema(format_duration)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": r"^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
            "examples": ["5m", "30s", "1h30m", "7d", "500ms"],
        }


Duration = Annotated[timedelta, Within()]
"""A field that is written as a duration and is a timedelta inside."""

Interval = Annotated[timedelta, Within(at_least="1s")]
"""A duration between two ticks."""

_DAYS = "sun mon tue wed thu fri sat".split()
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_LONGEST_DAY = dict(zip(range(1, 13), (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), strict=True))
_ITEM = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]{1,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Field:
    """One of cron's five fields: its range, and the names that stand for its numbers."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """Return the numbers that the field's text stands for."""
        return frozenset(number for item in text.split(",") for number in self._item(item))

    def _item(self, item: str) -> range:
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(f"{item!r} is no {self.name} that cron knows")
        first, last, step = match["first"], match["last"], match["step"]
        if step is not None and int(step) == 0:
            raise ValueError(f"{item!r} steps by zero")
        if first is None:
            return range(self.low, self.high + 1, int(step or 1))
        low = self._number(first)
        # `5/10` means from 5 to the end; a plain `5` is 5 alone.
        high = self._number(last) if last else self.high if step else low
        if low > high:
            raise ValueError(f"the range {item!r} runs backwards")
        return range(low, high + 1, int(step or 1))

    def _number(self, text: str) -> int:
        if text.lower() in self.names:
            return self.names.index(text.lower()) + self.low
        number = int(text) if text.isdigit() and len(text) < 3 else -1
        if not self.low <= number <= self.high:
            raise ValueError(f"{text!r} is no {self.name} ({self.low} to {self.high})")
        return number


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, tuple(_MONTHS)),
    _Field("day of week", 0, 7, tuple(_DAYS)),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule in cron's five fields, in UTC; Sunday is 0 or 7, as in every crontab."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, value: object) -> Cron:
        """Read `*/5 * * * *`; raises ValueError with a message for the person who wrote it."""
        if isinstance(value, Cron):
            return value
        texts = value.split() if isinstance(value, str) else []
        if len(texts) != len(_FIELDS):
            raise ValueError('expected cron\'s five fields, such as "*/5 * * * *" or "30 4 * * mon-fri"')
        numbers = [field.parse(text) for field, text in zip(_FIELDS, texts, strict=True)]
        numbers[4] = frozenset(number % 7 for number in numbers[4])
        cron = cls(" ".join(texts), *numbers)
        cron._require_a_day()
        return cron

    def _require_a_day(self) -> None:
        if len(self.days) < 31 and len(self.weekdays) < 7:
            raise ValueError(
                "restricts day of month and day of week; crons differ in what that means: use one"
            )
        if min(self.days) > max(_LONGEST_DAY[month] for month in self.months):
            raise ValueError("names a day that none of its months has")

    def __str__(self) -> str:
        return self.text

    def fields(self) -> dict[str, str]:
        """Return the schedule by field name, weekdays by name: schedulers number them differently."""
        return {
            "minute": _listed(self.minutes),
            "hour": _listed(self.hours),
            "day": _listed(self.days),
            "month": _listed(self.months),
            "day_of_week": ",".join(_DAYS[day] for day in sorted(self.weekdays)),
        }


def _listed(numbers: frozenset[int]) -> str:
    return ",".join(str(number) for number in sorted(numbers))


CronField = Annotated[
    Cron,
    PlainValidator(Cron.parse),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["*/5 * * * *", "30 4 * * mon-fri"]}),
]
"""A field that is written as a cron schedule."""

Schedule: TypeAlias = timedelta | Cron
"""When ticks come: every so often, or as a cron says."""


class Scheduled(BaseModel):
    """Base of settings that may say when ticks come, in one of two ways."""

    every: Interval | None = None
    cron: CronField | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if {"every", "cron"} <= self.model_fields_set and self.every and self.cron:
            raise ValueError("every and cron exclude each other: keep one of them")
        return self

    @property
    def schedule(self) -> Schedule | None:
        """When ticks come; None leaves it to the settings above."""
        return self.cron or self.every
