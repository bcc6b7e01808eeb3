"""What was inferred of a database, as settings: what is likely is in force, all else commented out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pgvigil.config.written import flow, line, prose
from pgvigil.inference import LIKELY, ProposedPair, ProposedRelation

_INDENT = 8
_MOST_UNLIKELY = 20
_MOST_EVIDENCE = 4
# In this check's section, under this setting, a proposal does what it says.
_ADOPTING = {"relations": "orphan_rows", "pairs": "table_drift"}
_HEAD = (
    "Nobody declared these: they were inferred, with the probability and the evidence that stand above each."
    f" From {LIKELY:g} on they are in force: strike out what is wrong, and put in force what else is right."
)


@dataclass(frozen=True, slots=True)
class Proposals:
    """Relations and pairs, the likeliest first; `left_out` says by subject why one must not be in force."""

    relations: Sequence[ProposedRelation] = ()
    pairs: Sequence[ProposedPair] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return all that can be said as settings, by check, in the order of the proposals."""
        return {_ADOPTING[name]: {name: [one.value for one in self._entries(name)]} for name in _ADOPTING}

    def subjects(self, name: str) -> list[str]:
        """Return the subjects of those, in the same order."""
        return [one.subject for one in self._entries(name)]

    def written(self, check: str, name: str) -> Iterator[str]:
        """Yield the lines of a check's setting of that name; none where nothing is proposed for it."""
        entries = self._entries(name)
        chosen = [one for one in entries if one.likely and one.subject not in self.left_out]
        others = [one for one in entries if one not in chosen][:_MOST_UNLIKELY]
        if _ADOPTING.get(name) != check:
            others, chosen = (chosen + others)[:_MOST_UNLIKELY], []
        if not entries:
            return
        yield from prose(_HEAD, _INDENT)
        mark = "" if chosen else "#"
        yield f"{' ' * _INDENT}{mark}{name}:"
        for one in chosen:
            yield from _entry(one, "", "")
        for one in others:
            yield from _entry(one, "#", self.left_out.get(one.subject, ""))
        untold = len(entries) - len(chosen) - len(others)
        if untold:
            yield from prose(f"… and {untold} less likely ones, which `pgvigil audit` tells.", _INDENT + 2)

    def _entries(self, name: str) -> list[_Entry]:
        if name == "relations":
            # What holds for some rows alone cannot be said as a relation of all.
            return [_of_relation(one) for one in self.relations if one.condition is None]
        return [_of_pair(one) for one in self.pairs] if name == "pairs" else []


@dataclass(frozen=True, slots=True)
class _Entry:
    subject: str
    value: str | dict[str, Any]
    probability: float
    evidence: tuple[str, ...]

    @property
    def likely(self) -> bool:
        return self.probability >= LIKELY


def _of_relation(proposed: ProposedRelation) -> _Entry:
    text = str(proposed.relation)
    return _Entry(text, text, proposed.probability, proposed.evidence)


def _of_pair(proposed: ProposedPair) -> _Entry:
    value: dict[str, Any] = {
        "left": str(proposed.left),
        "right": str(proposed.right),
        "key": dict(proposed.key),
        "columns": dict(proposed.columns),
        "tolerance": dict(proposed.tolerance),
    }
    return _Entry(
        str(proposed.name),
        {name: one for name, one in value.items() if one},
        proposed.probability,
        proposed.evidence,
    )


def _entry(entry: _Entry, mark: str, reason: str) -> Iterator[str]:
    """Yield an entry of a list behind what speaks for it; `reason` is why it is left out, if it is."""
    evidence = "; ".join(entry.evidence[:_MOST_EVIDENCE])
    opening = f"Left out, as {reason}. " if reason else ""
    yield from prose(f"{opening}{entry.probability:.2f}: {evidence}.", _INDENT + 2)
    start = " " * (_INDENT + 2) + mark
    first, *more = _lines(entry.value)
    yield f"{start}- {first}"
    yield from (f"{start}  {one}" for one in more)


def _lines(value: str | dict[str, Any]) -> Iterator[str]:
    if isinstance(value, str):
        yield line(value)
        return
    for name, one in value.items():
        if name != "columns":
            yield f"{name}: {line(one)}"
            continue
        yield f"{name}:"
        yield from (f"  {flow(left)}: {flow(right)}" for left, right in one.items())
