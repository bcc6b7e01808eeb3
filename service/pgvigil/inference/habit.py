"""How references are called in a catalog, as far as their names are plain: with an ending, or without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from pgvigil.inference.candidate import Candidate, Reason
from pgvigil.inference.comparable import family

_PLAIN = ("name_full", "name_bare", "name_completed")
_ENDINGS = ("ending_reference", "ending_none")
# With no more examples than these, a schema's habit is mostly that of the others.
_FEW = 3.0
_EVERYWHERE = ""


class Habits:
    """Counts the endings of those whose names are plain, by schema.

    In MusicBrainz `artist` refers to artists, in most other schemas `artist_id` does; who calls one so calls
    all so.
    """

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._counts = _counts(candidates)

    def reasons(self, one: Candidate) -> Iterator[Reason]:
        """Yield how many of the plain ones of its schema have an ending as a candidate has."""
        ending = _ending(one)
        total = sum(self._counts[_EVERYWHERE, each] for each in _ENDINGS)
        if ending and total:
            everywhere = self._counts[_EVERYWHERE, ending] / total
            here = sum(self._counts[one.child.schema, each] for each in _ENDINGS)
            share = (self._counts[one.child.schema, ending] + _FEW * everywhere) / (here + _FEW)
            yield Reason("habit", amount=share)


def _counts(candidates: Iterable[Candidate]) -> Counter[tuple[str, str]]:
    found: set[tuple[int, tuple[str, ...], str]] = set()
    counts: Counter[tuple[str, str]] = Counter()
    for one in candidates:
        ending = _ending(one)
        place = one.child.oid, one.columns, ending
        if ending and place not in found and any(one.has(feature) for feature in _PLAIN):
            found.add(place)
            counts[one.child.schema, ending] += 1
            counts[_EVERYWHERE, ending] += 1
    return counts


def _ending(one: Candidate) -> str:
    column = one.child.column(one.columns[0])
    if len(one.columns) > 1 or column is None or family(column) == "text" or one.has("values_only"):
        return ""
    return next((ending for ending in _ENDINGS if one.has(ending)), "")
