"""A daily window: the hours, in UTC, in which scheduled work may be done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

_WINDOW = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})", re.ASCII)
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """The time of day from `start` to `end`, in minutes since midnight; `end` may be of the next day."""

    start: int
    end: int

    @classmethod
    def parse(cls, value: object) -> Window:
        """Read `22:00-06:00`; raises ValueError with a message for whoever wrote it."""
        if isinstance(value, Window):
            return value
        match = _WINDOW.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError('expected a time of day from and to, in UTC, such as "22:00-06:00"')
        hours, minutes = (int(match[1]), int(match[3])), (int(match[2]), int(match[4]))
        start, end = (60 * hour + minute for hour, minute in zip(hours, minutes, strict=True))
        if max(minutes) > 59 or start >= _DAY or end > _DAY:
            raise ValueError("is no time of day: there are 00:00 to 23:59, and 24:00 as an end")
        if start == end % _DAY:
            raise ValueError("begins and ends at the same time: without a window, all day is one")
        return cls(start, end % _DAY)

    def __str__(self) -> str:
        return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (self.start, self.end))

    @property
    def gap(self) -> timedelta:
        """How long it is from the end of a window to the start of the next one."""
        return timedelta(minutes=(self.start - self.end) % _DAY)

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment is within a window."""
        return self._since_start(moment) < timedelta(days=1) - self.gap

    def next_start(self, moment: datetime) -> datetime:
        """Return when the first window after a moment begins."""
        return moment - self._since_start(moment) + timedelta(days=1)

    def end_of(self, moment: datetime) -> datetime:
        """Return when the window ends that a moment is within."""
        return self.next_start(moment) - self.gap

    def _since_start(self, moment: datetime) -> timedelta:
        """Return the time since a window last began."""
        midnight = datetime.combine(moment.astimezone(UTC), time(), UTC)
        return (moment - midnight - timedelta(minutes=self.start)) % timedelta(days=1)


WindowField = Annotated[
    Window,
    PlainValidator(Window.parse),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["22:00-06:00"]}),
]
"""A field that is written as a daily window."""
