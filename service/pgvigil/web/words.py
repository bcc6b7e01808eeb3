"""How values are written for people: ages, durations, counts, JSON. Used as filters by the templates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise

from pgvigil.check import JsonValue
from pgvigil.timing import format_duration

_LONGEST_VALUE = 300
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def ago(moment: datetime, now: datetime) -> str:
    """Write how long ago a moment was: `12 min ago`, `3 d 4 h ago`; `in 5 s` when it is yet to come."""
    seconds = round((now - moment).total_seconds())
    if seconds < 0:
        return f"in {_span(-seconds)}"
    return f"{_span(seconds)} ago" if seconds else "just now"


def _span(seconds: int) -> str:
    """Write a time in its largest unit, and the next one as long as that matters."""
    for (unit, size), (smaller, smaller_size) in pairwise(_UNITS):
        if seconds >= size:
            rest = seconds % size // smaller_size
            return f"{seconds // size} {unit}" + (f" {rest} {smaller}" if rest and unit in "dh" else "")
    return f"{seconds} s"


def stamp(moment: datetime) -> str:
    """Write a moment in UTC, to the second."""
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def moment(at: float) -> datetime:
    """Return a Unix time as a moment."""
    return datetime.fromtimestamp(at, UTC)


def size(count: int) -> str:
    """Write a count of bytes: `12.5 MB`."""
    return f"{count / (1 << 20):,.1f} MB"


def interval(seconds: float) -> str:
    """Write an interval as the configuration does: `5m`."""
    return format_duration(timedelta(seconds=seconds))


def number(count: int) -> str:
    """Write a count with commas between its thousands, as the command line does."""
    return f"{count:,}"


def value(item: JsonValue) -> str:
    """Write one value of a sample or a detail, cut to a bearable length."""
    text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=str)
    if len(text) <= _LONGEST_VALUE:
        return text
    return f"{text[:_LONGEST_VALUE]}… ({number(len(text))} characters)"


def passages(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the passages of a text: whether one is code, which is indented by four spaces, and its lines."""
    for code, lines in groupby(text.splitlines(), key=lambda line: line.startswith("    ")):
        yield code, "\n".join(line.removeprefix("    ") if code else line for line in lines)


def flat(details: Mapping[str, JsonValue], path: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Yield the details as (path, plain value): `("duplicate_keys.left", 0)`; an empty list is None."""
    for name, item in details.items():
        if isinstance(item, Mapping):
            yield from flat(item, f"{path}{name}.")
        elif isinstance(item, Sequence) and not isinstance(item, str):
            yield f"{path}{name}", ", ".join(map(value, item)) or None
        else:
            yield f"{path}{name}", item
