"""How the sample rows of a finding are laid out: a table in which each value that differs has its line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pgvigil.check import JsonValue

_DIFFERING = "differing"
"""Where a sample row of two tables says what differs: `{column: {"left": …, "right": …}}`."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A column in which two rows of the same key differ, and its value on each side."""

    column: str
    left: JsonValue
    right: JsonValue


@dataclass(frozen=True, slots=True)
class Row:
    """One sample row: its plain values by column, and what differs."""

    values: Mapping[str, JsonValue]
    differing: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """Sample rows; `columns` are those of their plain values, in the order in which they first appear."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def compares(self) -> bool:
        """Whether any row tells what differs."""
        return any(row.differing for row in self.rows)


def laid_out(sample: Iterable[Mapping[str, JsonValue]]) -> Sample:
    """Lay a finding's sample out."""
    rows = tuple(map(_row, sample))
    return Sample(tuple(dict.fromkeys(name for row in rows for name in row.values)), rows)


def _row(values: Mapping[str, JsonValue]) -> Row:
    differing = _differences(values.get(_DIFFERING))
    # A key column may have the same name; it holds a plain value, and is shown as one.
    plain = {name: value for name, value in values.items() if name != _DIFFERING or not differing}
    return Row(plain, tuple(differing))


def _differences(item: JsonValue) -> Sequence[Difference]:
    """Return what differs; nothing when the item is not of that shape."""
    if not isinstance(item, Mapping):
        return ()
    found = []
    for column, sides in item.items():
        if not isinstance(sides, Mapping) or sides.keys() != {"left", "right"}:
            return ()
        found.append(Difference(column, sides["left"], sides["right"]))
    return found
