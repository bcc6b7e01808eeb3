"""How the name of a column may be read: what it is about, and the ending that makes it a reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pgvigil.inference.vocabulary import (
    GLUED_ENDINGS,
    NATURAL_ENDINGS,
    REFERENCE_BEGINNINGS,
    REFERENCE_ENDINGS,
    SPELLED,
)
from pgvigil.inference.words import without_digits


class Ending(StrEnum):
    """What the end of a column's name says."""

    REFERENCE = "reference"
    NATURAL = "natural"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Reading:
    """`stem` are the words of what it is about, `said` the word that made the ending, if any."""

    stem: tuple[str, ...]
    ending: Ending
    said: str = ""


def readings(words: Sequence[str], known: Callable[[str], bool]) -> Iterator[Reading]:
    """Read the words of a column's name, the likeliest way first; `known` tells what a table may be called.

    `country_code` is the code of a country, and may be a reference to `country_codes` as well.
    """
    for reading in _by_ending(tuple(words), known):
        yield reading
        last = reading.stem[-1] if reading.stem else ""
        if last and (shorter := without_digits(last)) not in ("", last) and not known(last):
            yield replace(reading, stem=(*reading.stem[:-1], shorter))


def _by_ending(words: tuple[str, ...], known: Callable[[str], bool]) -> Iterator[Reading]:
    stem, said = _without_endings(words)
    if said:
        yield Reading(stem, Ending.REFERENCE, said)
        return
    if len(words) > 1 and words[-1] in NATURAL_ENDINGS:
        yield Reading(words[:-1], Ending.NATURAL, SPELLED.get(words[-1], words[-1]))
    yield from _glued(words, known)
    yield Reading(words, Ending.NONE)


def _without_endings(words: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Take off what says that it is a reference, in front and behind, however often: `created_by_id_fk`."""
    said = ""
    while words and words[-1] in REFERENCE_ENDINGS:
        words, said = words[:-1], words[-1]
    if len(words) > 1 and words[0] in REFERENCE_BEGINNINGS:
        words, said = words[1:], said or words[0]
    return words, said


def _glued(words: tuple[str, ...], known: Callable[[str], bool]) -> Iterator[Reading]:
    for ending in GLUED_ENDINGS:
        thing = words[-1].removesuffix(ending) if words else ""
        if len(thing) > 1 and thing != words[-1] and known(thing):
            sort = Ending.REFERENCE if ending in REFERENCE_ENDINGS else Ending.NATURAL
            yield Reading((*words[:-1], thing), sort, ending)
            return
