"""What was inferred of a database, and what people said of it, as settings: in force, or commented out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pgvigil.catalog import quote
from pgvigil.config.written import flow, line, prose
from pgvigil.inference import LIKELY, ProposedPair, ProposedRelation, as_figure

Setting = Literal["relations", "pairs"]

_INDENT = 8
# Of those that are less than likely; the likely ones are all there.
_MOST_UNLIKELY = 20
_MOST_EVIDENCE = 4
_MOST_OF_SOME_ROWS = 5
# In this check's section, under this setting, a proposal does what it says.
_ADOPTING: dict[Setting, str] = {"relations": "orphan_rows", "pairs": "table_drift"}
_INFERRED = (
    "Nobody declared these: they were inferred, with the probability and the evidence that stand above each."
)
_OTHERS_INFERRED = (
    "In force is what people say, as stands above each. Nobody declared the others: they were inferred, "
    "with the probability and the evidence that stand above each, and none of them is in force before a "
    "person has adopted it."
)
_TO_ADOPT = (
    "What is right is adopted by removing the # in front of each of its lines, and of the setting's name."
)


@dataclass(frozen=True, slots=True)
class Adopted:
    """What somebody adopted, as settings of its check: in force, however probable. `words` say by whom."""

    setting: Setting
    subject: str
    value: str | dict[str, Any]
    words: str


@dataclass(frozen=True, slots=True)
class Proposals:
    """Relations and pairs, the likeliest first: none of them is in force by itself.

    In force is what people have said: `adopted` is what they adopted, `written_elsewhere` what a team has in
    files of other tools, and `adopt` the probability from which on somebody adopts what is inferred, unseen;
    None where nobody does. `left_out` says by subject why one must not be in force.
    """

    relations: Sequence[ProposedRelation] = ()
    pairs: Sequence[ProposedPair] = ()
    adopted: Sequence[Adopted] = ()
    written_elsewhere: Sequence[Adopted] = ()
    adopt: float | None = None
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
        if ours and setting == "relations":
            yield from self._of_some_rows()
        if not entries:
            return
        yield from prose(f"{self._in_force_says(any_adopted=bool(chosen))} {_TO_ADOPT}", _INDENT)
        yield f"{' ' * _INDENT}{'' if chosen else '#'}{setting}:"
        for one in chosen:
            yield from _written(one, "", "")
        more = max(0, sum(one.probability < LIKELY for one in others) - _MOST_UNLIKELY)
        for one in others[: len(others) - more]:
            yield from _written(one, "#", self.left_out.get(one.subject, ""))
        if more:
            yield from prose(f"… and {more} less likely, which `pgvigil audit` tells.", _INDENT + 2)

    def _in_force_says(self, *, any_adopted: bool) -> str:
        if self.adopt is not None:
            unseen = (
                f"In force are those of {self.adopt} and more, as `--adopt` said: strike out what is wrong."
            )
            return f"{_INFERRED} {unseen}"
        if any_adopted:
            return _OTHERS_INFERRED
        return f"{_INFERRED} None of them is in force before a person has adopted it."

    def _of_some_rows(self) -> Iterator[str]:
        """Yield which relations no setting can say, as another column decides for which rows each holds."""
        found = [f"`{one.relation}` by {quote(one.condition[0])}" for one in self.relations if one.condition]
        if found:
            more = f" and {len(found) - _MOST_OF_SOME_ROWS} more" if len(found) > _MOST_OF_SOME_ROWS else ""
            names = ", ".join(found[:_MOST_OF_SOME_ROWS])
            said = (
                "Some hold for a part of the rows alone, which no setting can say and `pgvigil audit` shows"
            )
            yield from prose(f"{said}: {names}{more}.", _INDENT)

    def _is_in_force(self, entry: _Entry) -> bool:
        adopted = entry.adopted or (self.adopt is not None and entry.probability >= self.adopt)
        return adopted and entry.subject not in self.left_out

    def _entries(self, name: Setting) -> list[_Entry]:
        said = {one.subject: one for one in (*self.written_elsewhere, *self.adopted)}
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
    probability: float
    adopted: bool = False


def _of_adopted(one: Adopted) -> _Entry:
    return _Entry(one.subject, one.value, one.words, 1.0, adopted=True)


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
    return f"{as_figure(one.probability)}: {'; '.join(one.evidence[:_MOST_EVIDENCE])}"


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
