"""How far the values of two columns agree on matched rows, beyond what chance would do.

Two flags agree on half of the rows whatever they mean, so that bare agreement says little. What counts is
Cohen's kappa: (observed - chance) / (1 - chance), 1 for the same values, 0 for values that have nothing to
do with each other (J. Cohen, "A coefficient of agreement for nominal scales", 1960). Chance is how often the
values agree across rows that do not belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from statistics import quantiles
from typing import TypeVar

from pgvigil.inference.pairs_values import Kind
from pgvigil.timing import format_duration

Values = Sequence[str | None]
_Value = TypeVar("_Value")
_Numbers = Sequence[tuple[Decimal | None, Decimal | None]]

FEWEST_ROWS = 5
"""Of fewer matched rows with values nothing is concluded."""

_SHIFTS = 7
# Numbers count as near each other within this part of the range that most of them lie in.
_NEAR = Decimal("0.02")
_NEAR_IS_WORTH = 0.9
# Up to here rows that differ are faults; beyond, a difference is how the two sides are kept.
_EXPECTED_SHARE = 0.95
# A tolerance beyond this part of the range would forgive anything.
_WIDEST = Decimal("0.1")
_DURATIONS = tuple(
    timedelta(seconds=seconds)
    for seconds in (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800)
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two columns agree: on `rows` matched rows in which either has a value, `share` of them equal.

    `kappa` is the agreement beyond chance, of equal values or, somewhat less worth, of near ones; `chance`
    the share that chance would make equal. `tolerance` is the difference that most rows keep within, where
    more than a few differ.
    """

    rows: int
    share: float
    kappa: float
    chance: float
    tolerance: float | str | None = None


def agreement(left: Values, right: Values, kind: Kind | str) -> Agreement | None:
    """Compare the values of matched rows, one of each side; None where there are too few to tell."""
    pairs = [pair for pair in zip(left, right, strict=True) if pair != (None, None)]
    if len(pairs) < FEWEST_ROWS:
        return None
    share, chance = _shares(pairs, lambda one, other: one == other)
    kappa = _kappa(share, chance)
    if kind not in (Kind.NUMBER, Kind.MOMENT) or share == 1:
        return Agreement(len(pairs), share, kappa, chance)
    numbers = [(_number(one), _number(other)) for one, other in pairs]
    spread = _spread(numbers)
    near = _kappa(*_shares(numbers, _within(spread * _NEAR)))
    return Agreement(
        len(pairs), share, max(kappa, _NEAR_IS_WORTH * near), chance, _tolerance(numbers, spread, kind)
    )


def _shares(
    pairs: Sequence[tuple[_Value, _Value]], agree: Callable[[_Value, _Value], bool]
) -> tuple[float, float]:
    """Return which share of the pairs agrees, and which share of pairs that do not belong together."""
    count = len(pairs)
    observed = sum(agree(*pair) for pair in pairs) / count
    shifts = range(1, min(_SHIFTS, count - 1) + 1)
    apart = sum(
        agree(pairs[place][0], pairs[(place + shift) % count][1])
        for shift in shifts
        for place in range(count)
    )
    return observed, apart / (count * len(shifts))


def _kappa(observed: float, chance: float) -> float:
    # Of a constant that both sides hold nobody can tell whether it means the same.
    return 0.0 if chance >= 1 else (observed - chance) / (1 - chance)


def _number(text: str | None) -> Decimal | None:
    try:
        number = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def _within(distance: Decimal) -> Callable[[Decimal | None, Decimal | None], bool]:
    def agree(one: Decimal | None, other: Decimal | None) -> bool:
        return one is not None and other is not None and abs(one - other) <= distance

    return agree


def _spread(numbers: _Numbers) -> Decimal:
    """Return the width of the range that four fifths of all values lie in."""
    values = [value for pair in numbers for value in pair if value is not None]
    if len(values) < 2:
        return Decimal(0)
    tenths = quantiles(values, n=10)
    return tenths[-1] - tenths[0]


def _tolerance(numbers: _Numbers, spread: Decimal, kind: Kind | str) -> float | str | None:
    """Return the least round difference that all but a few rows keep within; None where they are equal."""
    differences = sorted(abs(one - other) for one, other in numbers if one is not None and other is not None)
    if len(differences) < FEWEST_ROWS:
        return None
    wanted = differences[min(len(differences) - 1, int(_EXPECTED_SHARE * len(differences)))]
    if wanted == 0 or wanted > spread * _WIDEST:
        return None
    return _round_duration(wanted) if kind is Kind.MOMENT else _round_number(wanted)


def _round_number(wanted: Decimal) -> float:
    """Round up to 1, 2 or 5 times a power of ten."""
    power = Decimal(10) ** wanted.adjusted()
    return float(next(step * power for step in map(Decimal, (1, 2, 5, 10)) if step * power >= wanted))


def _round_duration(wanted: Decimal) -> str | None:
    """Round up to a duration that people use; None beyond a week."""
    fitting = (duration for duration in _DURATIONS if Decimal(duration.total_seconds()) >= wanted)
    found = next(fitting, None)
    return format_duration(found) if found else None
