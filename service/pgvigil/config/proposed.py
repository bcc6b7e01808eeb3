"""What was inferred of a database, and what people said of it, as settings: in force, or commented out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pgvigil.config.written import flow, line, prose
from pgvigil.inference import LIKELY, ProposedPair, ProposedRelation

Setting = Literal["relations", "pairs"]

_INDENT = 8
_MOST_UNLIKELY = 20
_MOST_EVIDENCE = 4
# In this check's section, under this setting, a proposal does what it says.
_ADOPTING: dict[Setting, str] = {"relations": "orphan_rows", "pairs": "table_drift"}
_INFERRED = (
    "Nobody declared these: they were inferred, with the probability and the evidence that stand above each."
)
_LIKELY_ONES = (
    f"{_INFERRED} From {LIKELY:g} on they are in force: strike out what is wrong, put in force what is right."
)
_ADOPTED_ONES = f"{_INFERRED} In force is what was adopted."


@dataclass(frozen=True, slots=True)
class Adopted:
    """What somebody adopted, as settings of its check: in force, however probable. `words` say by whom."""

    setting: Setting
    subject: str
    value: str | dict[str, Any]
    words: str


@dataclass(frozen=True, slots=True)
class Proposals:
    """Relations and pairs, the likeliest first; `left_out` says by subject why one must not be in force.

    `adopted` is what somebody adopted, and then nothing else is in force; None where nobody could yet.
    `written_elsewhere` is what a team has in files of other tools, and in force, too.
    """

    relations: Sequence[ProposedRelation] = ()
    pairs: Sequence[ProposedPair] = ()
    adopted: Sequence[Adopted] | None = None
    written_elsewhere: Sequence[Adopted] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return all that can be said as settings, by check, in the order of the proposals."""
        return {
            check: {name: [one.value for one in self._entries(name)]} for name, check in _ADOPTING.items()
        }

    def subjects(self, name: Setting) -> list[str]:
        """Return the subjects of those, in the same order."""
        return [one.subject for one in self._entries(name)]

    def written(self, check: str, name: str) -> Iterator[str]:
        """Yield the lines of a check's setting of that name; none where nothing is proposed for it."""
        match name:
            case "relations" | "pairs" as setting:
                yield from self._listed(setting, ours=_ADOPTING[setting] == check)

    def _listed(self, setting: Setting, *, ours: bool) -> Iterator[str]:
        entries = self._entries(setting)
        chosen = [one for one in entries if ours and self._is_in_force(one)]
        others = [one for one in entries if not (ours and self._is_in_force(one))]
        if not entries:
            return
        yield from prose(_LIKELY_ONES if self.adopted is None else _ADOPTED_ONES, _INDENT)
        yield f"{' ' * _INDENT}{'' if chosen else '#'}{setting}:"
        for one in chosen:
            yield from _written(one, "", "")
        for one in others[:_MOST_UNLIKELY]:
            yield from _written(one, "#", self.left_out.get(one.subject, ""))
        if others[_MOST_UNLIKELY:]:
            more = len(others) - _MOST_UNLIKELY
            yield from prose(f"… and {more} less likely ones, which `pgvigil audit` tells.", _INDENT + 2)

    def _is_in_force(self, entry: _Entry) -> bool:
        return entry.subject not in self.left_out and (
            entry.adopted or (self.adopted is None and entry.probability >= LIKELY)
        )

    def _entries(self, name: Setting) -> list[_Entry]:
        said = {one.subject: one for one in (*self.written_elsewhere, *(self.adopted or ()))}
        adopted = [_of_adopted(one) for one in said.values() if one.setting == name]
        if name == "relations":
            # What holds for some rows alone cannot be said as a relation of all.
            inferred = [_of_relation(one) for one in self.relations if one.condition is None]
        else:
            inferred = [_of_pair(one) for one in self.pairs]
        return adopted + [one for one in inferred if one.subject not in said]


@dataclass(frozen=True, slots=True)
class _Entry:
    subject: str
    value: str | dict[str, Any]
    words: str
    probability: float = 0.0
    adopted: bool = False


def _of_adopted(one: Adopted) -> _Entry:
    return _Entry(one.subject, one.value, one.words, adopted=True)


def _of_relation(one: ProposedRelation) -> _Entry:
    text = str(one.relation)
    return _Entry(text, text, _evidence(one), one.probability)


def _of_pair(one: ProposedPair) -> _Entry:
    value: dict[str, Any] = {
        "left": str(one.left),
        "right": str(one.right),
        "key": dict(one.key),
        "columns": dict(one.columns),
    }
    if one.tolerance:
        value["tolerance"] = dict(one.tolerance)
    return _Entry(str(one.name), value, _evidence(one), one.probability)


def _evidence(one: ProposedRelation | ProposedPair) -> str:
    return f"{one.probability:.2f}: {'; '.join(one.evidence[:_MOST_EVIDENCE])}"


def _written(entry: _Entry, mark: str, reason: str) -> Iterator[str]:
    """Yield an entry of a list behind what speaks for it; `reason` is why it is left out, if it is."""
    opening = f"Left out, as {reason}. " if reason else ""
    yield from prose(f"{opening}{entry.words}.", _INDENT + 2)
    start = " " * (_INDENT + 2) + mark
    first, *more = _lines(entry.value)
    yield f"{start}- {first}"
    yield from (f"{start}  {one}" for one in more)


def _lines(value: str | dict[str, Any]) -> Iterator[str]:
    if isinstance(value, str):
        yield line(value)
        return
    for name, one in value.items():
        if name != "columns" or not one:
            yield f"{name}: {line(one)}"
            continue
        yield f"{name}:"
        yield from (f"  {flow(left)}: {flow(right)}" for left, right in one.items())
