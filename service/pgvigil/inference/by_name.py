"""What the name of one column leads to: the table that it speaks of, or the key that it repeats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from pgvigil.catalog import Column, Table
from pgvigil.inference.comparable import family
from pgvigil.inference.forms import Form, How
from pgvigil.inference.landscape import Landscape, SingleKey
from pgvigil.inference.reading import Ending, Reading
from pgvigil.inference.vocabulary import (
    DEEDS,
    PARALLEL,
    PEOPLE,
    PERSON_ROLES,
    SELF_ROLES,
    SUPERIORS,
    VAGUE,
)
from pgvigil.inference.words import glue

# Parents of a column that any one way to read it may lead to.
_MOST = 16
_EXPANSIONS = 8
_KEY = Reading((), Ending.REFERENCE)


@dataclass(frozen=True, slots=True)
class Match:
    """What a column's name led to.

    `feature` says which way, `share` how much of the table's name the column has, `role` are the words that
    are left over, `means` the words that were understood.
    """

    table: Table
    feature: str
    reading: Reading
    share: float = 1.0
    role: tuple[str, ...] = ()
    means: tuple[str, ...] = ()
    key: SingleKey | None = None


def matches(landscape: Landscape, table: Table, column: Column) -> list[Match]:
    """Return what the name of a column may refer to, with keys that compare with it."""
    kind = family(column)
    if kind not in landscape.families:
        return []
    found: list[Match] = list(_shared_key(landscape, table, column, kind or ""))
    for words in landscape.spellings(table, column.name):
        found += _keys_of_that_name(landscape, table, words)
        for reading in landscape.readings(words):
            found += islice(_by_reading(landscape, table, kind or "", reading), _MOST)
    return found


def _shared_key(landscape: Landscape, table: Table, column: Column, kind: str) -> Iterator[Match]:
    """Yield the tables that the child's own name begins with, for a key `id` that the server does not fill.

    Then it takes over that of another table: one row here for one there.
    """
    key = next((key for key in landscape.keys.get(table.oid, ()) if key.column.name == column.name), None)
    if key is None or not key.primary or not key.generic or not landscape.takes_over(key):
        return
    words = landscape.words[table.oid]
    for end in range(len(words) - 1, 0, -1):
        forms = _comparable(landscape, landscape.forms.called(glue(words[:end]), table), kind)
        found = [form for form in forms if form.how is How.FULL and form.table.oid != table.oid]
        for form in found:
            yield Match(form.table, "key_shared", _KEY)
        if found:
            return


def _by_reading(landscape: Landscape, table: Table, kind: str, reading: Reading) -> Iterator[Match]:
    completed = list(_completed(landscape, table, kind, reading))
    yield from completed
    named = list(_tables_named(landscape, table, kind, reading))
    yield from named
    if not any(match.feature in ("name_full", "name_bare") for match in named):
        yield from _people(landscape, table, reading)
    if _speaks_of_itself(reading):
        yield Match(table, "role_self", reading, role=reading.stem)
    vague = len(reading.stem) == 1 and reading.stem[0] in VAGUE
    if vague and reading.ending is Ending.REFERENCE and not completed:
        yield from _owner(landscape, table, kind, reading)
    if reading.stem and all(match.feature == "name_head" for match in (*named, *completed)):
        yield from _in_front(landscape, table, kind, reading)
        if reading.ending is not Ending.NONE:
            yield from _abbreviated(landscape, table, kind, reading)


def _tables_named(landscape: Landscape, table: Table, kind: str, reading: Reading) -> Iterator[Match]:
    """Yield the tables that the last words name; as few of them as needed to find a whole name."""
    for start in range(len(reading.stem)):
        means = reading.stem[start:]
        forms = _comparable(landscape, landscape.forms.called(glue(means), table), kind)
        exact = [one for one in forms if one.how is How.FULL and one.table.schema == table.schema]
        for form in exact or forms:
            yield Match(form.table, f"name_{form.how}", reading, form.share, reading.stem[:start], means)
        if any(form.how in (How.FULL, How.BARE) for form in forms):
            return


def _completed(landscape: Landscape, table: Table, kind: str, reading: Reading) -> Iterator[Match]:
    """Yield the tables whose name is made of the child's and the column's: `order_line` by `order(line)`.

    The first words of the child's name stand in front; of templates and the like the last one behind, too.
    """
    words = landscape.words[table.oid]
    endings: tuple[tuple[str, ...], ...] = (words[-1:], ()) if words[-1:] and words[-1] in PARALLEL else ((),)
    for end in range(len(words), 0, -1) if reading.stem else ():
        for behind in endings:
            name = glue((*words[:end], *reading.stem, *behind))
            forms = _comparable(landscape, landscape.forms.called(name, table), kind)
            found = [form for form in forms if form.how is How.FULL and form.table.oid != table.oid]
            for form in found:
                yield Match(form.table, "name_completed", reading, means=reading.stem)
            if found:
                return


def _owner(landscape: Landscape, table: Table, kind: str, reading: Reading) -> Iterator[Match]:
    """Yield the table that the child's own name begins with, for a column that says no more than `object`."""
    words = landscape.words[table.oid]
    for end in range(len(words) - 1, 0, -1):
        forms = _comparable(landscape, landscape.forms.called(glue(words[:end]), table), kind)
        found = [form for form in forms if form.how is How.FULL]
        for form in found:
            yield Match(form.table, "name_of_owner", reading, means=reading.stem)
        if found:
            return


def _in_front(landscape: Landscape, table: Table, kind: str, reading: Reading) -> Iterator[Match]:
    """Yield the tables that the first words name, with a role behind: `address_billing`."""
    for end in range(len(reading.stem) - 1, 0, -1):
        means = reading.stem[:end]
        forms = _comparable(landscape, landscape.forms.called(glue(means), table), kind)
        whole = [form for form in forms if form.how in (How.FULL, How.BARE)]
        for form in whole:
            yield Match(form.table, "name_in_front", reading, form.share, reading.stem[end:], means)
        if whole:
            return


def _abbreviated(landscape: Landscape, table: Table, kind: str, reading: Reading) -> Iterator[Match]:
    """Yield the tables that the words abbreviate, or that abbreviate the words; or by their initials."""
    for start in range(len(reading.stem)):
        means = reading.stem[start:]
        spelled = product(*(landscape.forms.expanded(word) for word in means))
        for words in islice(spelled, 1, _EXPANSIONS):
            for form in _comparable(landscape, landscape.forms.called(glue(words), table), kind):
                if form.how is not How.HEAD:
                    yield Match(
                        form.table, "name_abbreviated", reading, form.share, reading.stem[:start], means
                    )
    if len(reading.stem) == 1 and 2 <= len(reading.stem[0]) <= 4:
        for form in _comparable(landscape, landscape.forms.initials(reading.stem[0], table), kind):
            yield Match(form.table, "name_initials", reading, means=reading.stem)


def _keys_of_that_name(landscape: Landscape, table: Table, words: tuple[str, ...]) -> Iterator[Match]:
    """Yield the keys with a name of their own that the column has as well, or as its last words."""
    for start in range(len(words)):
        keys = landscape.keys_called(glue(words[start:]), table)
        for key in keys:
            reading = landscape.readings(words[start:])[0]
            yield Match(key.table, "key_name", reading, role=tuple(words[:start]), key=key)
        if keys:
            return


def _people(landscape: Landscape, table: Table, reading: Reading) -> Iterator[Match]:
    """Yield the tables of people, for a column that says what somebody is or did here."""
    if not _speaks_of_a_person(reading):
        return
    if reading.stem and reading.stem[-1] in SUPERIORS and _is_of_people(landscape.words[table.oid]):
        yield Match(table, "role_self", reading, role=reading.stem)
        return
    for person, rank in landscape.people(table):
        yield Match(person, "role_person", reading, rank, role=reading.stem)


def _is_of_people(words: Sequence[str]) -> bool:
    """Tell whether a table of such a name holds people."""
    return bool(words) and words[-1] in PEOPLE


def _speaks_of_itself(reading: Reading) -> bool:
    """Tell whether a column names another row of its own table: `parent_id`, `duplicate_of`, `reply_to`."""
    said = set(reading.stem) - {"to", "of", "by", "for", "from"}
    return bool(said) and said <= SELF_ROLES and reading.stem != ("reply",)


def _speaks_of_a_person(reading: Reading) -> bool:
    stem = reading.stem
    if not stem:
        return reading.said == "uid"
    if stem[-1] in ("by", "to"):
        return stem[-1] == "by" or (len(stem) > 1 and stem[-2] in DEEDS)
    return stem[-1] in PERSON_ROLES or (reading.said == "uid" and stem[-1] in DEEDS)


def _comparable(landscape: Landscape, forms: Iterable[Form], kind: str) -> list[Form]:
    return [
        form for form in forms if any(key.family == kind for key in landscape.keys.get(form.table.oid, ()))
    ]
