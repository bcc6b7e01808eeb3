"""What is to be reached, and what was."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Reached:
    """A goal and the figure that was measured for it.

    `limit` is what the figure is to have at the most, or at the least; None: it is told, and has no goal.
    """

    goal: str
    figure: float
    limit: float | None
    at_least: bool = False
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether the figure is within its limit."""
        if self.limit is None:
            return True
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    @property
    def verdict(self) -> str:
        """Say whether it was met, in a word."""
        return "told" if self.limit is None else "met" if self.met else "missed"

    @property
    def wanted(self) -> str:
        """Write the limit."""
        if self.limit is None:
            return ""
        return f"{'≥' if self.at_least else '≤'} {amount(self.limit, self.unit)}"

    @property
    def reached(self) -> str:
        """Write the figure."""
        return amount(self.figure, self.unit)

    def kept(self, command: str) -> dict[str, Any]:
        """Return it as it is written down, with the command that measures it again."""
        return {**asdict(self), "verdict": self.verdict, "command": command}


def at_most(goal: str, figure: float, limit: float, unit: str = "x") -> Reached:
    """Return a figure that is to be low."""
    return Reached(goal, figure, limit, unit=unit)


def at_least(goal: str, figure: float, limit: float, unit: str = "x") -> Reached:
    """Return a figure that is to be high."""
    return Reached(goal, figure, limit, at_least=True, unit=unit)


def told(goal: str, figure: float, unit: str = "x") -> Reached:
    """Return a figure that belongs beside the others."""
    return Reached(goal, figure, None, unit=unit)


def amount(figure: float, unit: str) -> str:
    """Write a figure in three digits, large ones whole."""
    number = f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
    return f"{number} {unit}"
