"""How probable it is that two tables hold the same entity, and what speaks for it and against it.

Every piece of evidence has a weight in log-odds, and the probability is the logistic function of their sum.
The weights were set so that names alone never make a pair likely, that a surrogate key counts only by what
the rows which it matches have in common, and that agreement of the contents outweighs all else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp

from pgvigil.catalog import Table
from pgvigil.inference.pairs_columns import ColumnMapping, mean_kappa
from pgvigil.inference.pairs_keys import NEARLY_UNIQUE, KeyMapping
from pgvigil.inference.pairs_names import column_stems, is_copy, is_generic, likeness, stems
from pgvigil.inference.pairs_sampling import Matched
from pgvigil.inference.sketch import Overlap, Sketch, overlap
from pgvigil.inference.words import split

LIKELY = 0.9
"""From this probability on a proposal is likely: it is always told, and a person decides on it."""

LEAST = 0.3
"""What is less probable is not proposed."""

_BIAS = -3.0
_TABLE_NAMES = 1.5
_COLUMN_NAMES = 1.5
_KEY_NAMES = 1.0
_GENERIC_KEY_NAMES = 0.3
_UNSURE_KEY = -0.5
_NUMBERED_KEY = -1.5
_MOSTLY_NULL = -2.0
_SHARED_KEYS = 1.5
_SEPARATE_KEYS = -4.0
_AGREEMENT = 6.0
_AGREEMENT_NEEDED = 0.4
_LIKE_SIZE = 0.5
_UNLIKE_SIZE = -1.5
_COPY = -3.0

# Of fewer keys or rows nothing is concluded against a pair, and not all that much for it.
_ENOUGH = 20
_FEW_ROWS_AT_MOST = 0.85
# Nobody but a person can tell whether a copy that differs is at fault.
_COPY_AT_MOST = 0.8
# Nothing that was inferred is certain, rounded or not.
_AT_MOST = 0.999
# How many more matched rows make half of the difference between little and all.
_HALFWAY = 10
_HARDLY_ANY = 0.02
_FEW = 0.1
_AGREES = 0.5
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Observed:
    """All that is known of two tables and a key between them; None where it is not known.

    `matched` may have been sampled from either side. `zones` tells that the tables belong to different ones.
    """

    left: Table
    right: Table
    key: KeyMapping
    columns: ColumnMapping
    sketches: tuple[Sketch | None, Sketch | None] = (None, None)
    matched: Matched | None = None
    zones: bool = False

    @property
    def differs_on_purpose(self) -> bool:
        """Whether rows are expected to be on one side and not, or not any more, on the other."""
        return self.zones or is_copy(self.left) or is_copy(self.right)

    @property
    def overlap(self) -> Overlap | None:
        """How far the keys of both sides are the same."""
        left, right = self.sketches
        found = overlap(left, right) if left and right else None
        # The sketch of a large table may leave little of a small one to compare.
        if self.matched and not (found and min(found.left, found.right) >= _ENOUGH):
            return Overlap(self.matched.sampled, self.matched.sampled, self.matched.found)
        return found


def judge(observed: Observed) -> tuple[float, tuple[str, ...]] | None:
    """Return the probability and the evidence, the weightiest first; None when it is no pair."""
    if keys_differ(observed) or _contents_differ(observed):
        return None
    evidence = [one for one in _evidence(observed) if one.weight or one.words]
    probability = 1 / (1 + exp(-(_BIAS + sum(one.weight for one in evidence))))
    if observed.matched is not None and len(observed.matched.rows) < _ENOUGH:
        probability = min(probability, _FEW_ROWS_AT_MOST)
    if observed.differs_on_purpose:
        probability = min(probability, _COPY_AT_MOST)
    evidence.sort(key=lambda one: -abs(one.weight))
    return min(round(probability, 3), _AT_MOST), tuple(one.words for one in evidence if one.words)


def keys_differ(observed: Observed) -> bool:
    """Tell whether what was seen of the keys rules a pair out, whatever the names say."""
    known = [one for one in observed.sketches if one is not None]
    if any(not one.rows or one.uniqueness < NEARLY_UNIQUE for one in known):
        return True
    shared = observed.overlap
    return bool(shared and min(shared.left, shared.right) >= _ENOUGH and _share(shared) < _HARDLY_ANY)


def _contents_differ(observed: Observed) -> bool:
    """Tell whether there is nothing that both hold, or nothing that they agree on."""
    matched, columns = observed.matched, observed.columns
    if not columns.contents:
        return True
    if matched is None:
        return False
    if matched.ambiguous > (1 - NEARLY_UNIQUE) * max(matched.found, _ENOUGH):
        return True
    return len(matched.rows) >= _ENOUGH and not _agreeing(columns)


@dataclass(frozen=True, slots=True)
class _Evidence:
    weight: float
    words: str


def _evidence(observed: Observed) -> Iterator[_Evidence]:
    yield _of_table_names(observed)
    yield _of_column_names(observed)
    yield from _of_key(observed)
    yield from _of_overlap(observed)
    yield from _of_agreement(observed)
    yield from _of_size(observed)
    yield from _of_purpose(observed)


def _of_table_names(observed: Observed) -> _Evidence:
    left, right = stems(observed.left.name), stems(observed.right.name)
    equal = "are the same" if split(observed.left.name) == split(observed.right.name) else "mean the same"
    same = equal if left == right else f"share {', '.join(sorted(left & right))}"
    return _Evidence(
        _TABLE_NAMES * likeness(left, right), f"the tables' names {same}" if left & right else ""
    )


def _of_column_names(observed: Observed) -> _Evidence:
    contents = observed.columns.contents
    alike = [one for one in contents if one.likeness == 1]
    # One name in common is soon found; the more of them, the less it can be by accident.
    named = sum(one.likeness for one in contents) / (len(contents) + 1)
    words = f"{len(alike)} columns are called alike" if len(alike) > 1 else ""
    return _Evidence(_COLUMN_NAMES * observed.columns.coverage * named, words)


def _of_key(observed: Observed) -> Iterator[_Evidence]:
    key = observed.key
    name = ", ".join(column.name for column in key.left)
    if key.surrogate:
        # What speaks for it must come from the rows that it matches.
        weight = 0.0 if observed.matched else _NUMBERED_KEY
        yield _Evidence(weight, f"{name} is a number that each side may give by itself")
    else:
        pairs = zip(key.left, key.right, strict=True)
        alike = min(
            likeness(column_stems(one.name, observed.left), column_stems(other.name, observed.right))
            for one, other in pairs
        )
        worth = _GENERIC_KEY_NAMES if all(is_generic(column.name) for column in key.left) else _KEY_NAMES
        sides = {2: "both sides", 1: "one side"}.get(key.declared, "neither side")
        yield _Evidence(worth * alike, f"{name} is a key of both by its name, declared unique on {sides}")
    for table, sketch in zip((observed.left, observed.right), observed.sketches, strict=True):
        if sketch is not None and sketch.nulls > sketch.rows:
            yield _Evidence(_MOSTLY_NULL, f"most rows of {table} have no {name}")
    if key.declared < 2 and None in observed.sketches:
        yield _Evidence(_UNSURE_KEY, f"whether {name} is unique on both sides is not known")


def _of_overlap(observed: Observed) -> Iterator[_Evidence]:
    shared = observed.overlap
    if shared is None:
        yield _Evidence(
            0.0, "the keys of both sides were not compared: not readable, too large, or not asked for"
        )
        return
    share, compared = _share(shared), min(shared.left, shared.right)
    words = f"{_percent(share)} of the keys of one side are on the other too, {shared.both:,} of {compared:,}"
    if share < _FEW:
        yield _Evidence(_SEPARATE_KEYS * compared / (compared + _HALFWAY), words)
    else:
        # The numbers that both sides count by overlap whatever they count.
        yield _Evidence(0.0 if observed.key.surrogate else _SHARED_KEYS * share, words)


def _of_agreement(observed: Observed) -> Iterator[_Evidence]:
    matched, columns = observed.matched, observed.columns
    if matched is not None and matched.rows:
        rows = len(matched.rows)
        strength = columns.coverage * mean_kappa(columns)
        weight = _AGREEMENT * (strength - _AGREEMENT_NEEDED) * rows / (rows + _HALFWAY)
        yield _Evidence(weight, f"on {rows} matched rows {_agreements(columns)}")
    for one in columns.at_odds:
        names = " and ".join(dict.fromkeys((one.left.name, one.right.name)))
        share = _percent(one.agreement.share if one.agreement else 0.0)
        yield _Evidence(0.0, f"{names} agree on {share} of the rows, no more than by chance: left out")


def _of_size(observed: Observed) -> Iterator[_Evidence]:
    left, right = (
        sketch.rows if sketch else table.rows_estimate
        for table, sketch in zip((observed.left, observed.right), observed.sketches, strict=True)
    )
    if left is None or right is None or not (left and right):
        return
    ratio = min(left, right) / max(left, right)
    words = f"they have about {left:,.0f} and {right:,.0f} rows"
    yield _Evidence(_UNLIKE_SIZE if ratio < _FEW else _LIKE_SIZE if ratio >= 0.5 else 0.0, words)


def _of_purpose(observed: Observed) -> Iterator[_Evidence]:
    copies = [str(table) for table in (observed.left, observed.right) if is_copy(table)]
    if copies:
        words = f"{' and '.join(copies)} is named as a stage or a kept copy, which differs on purpose"
        yield _Evidence(_COPY, words)
    elif observed.zones:
        yield _Evidence(_COPY, "the tables are in different zones, through which rows move")


def _share(shared: Overlap) -> float:
    """Return the share of the smaller side's keys that the other one has."""
    return max(shared.of_left, shared.of_right)


def _agreeing(columns: ColumnMapping) -> list[str]:
    """Return the mapped columns with contents whose values agree beyond chance."""
    return [
        f"{one.left.name} with {one.right.name} ({_percent(one.agreement.share)})"
        if one.left.name != one.right.name
        else f"{one.left.name} ({_percent(one.agreement.share)})"
        for one in columns.contents
        if one.agreement is not None and one.agreement.kappa >= _AGREES
    ]


def _agreements(columns: ColumnMapping) -> str:
    found = _agreeing(columns)
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return f"{', '.join(found[:_MOST_NAMED])}{more} agree" if found else "no column with contents agrees"


def _percent(share: float) -> str:
    """Write a share; only what is all is written as 100 %."""
    rounded = f"{100 * share:.0f}"
    return "over 99 %" if rounded == "100" and share < 1 else f"{rounded} %"
