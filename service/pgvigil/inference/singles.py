"""Candidates of one column, each with the reasons that its name and the tables give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pgvigil.catalog import Column, Table, quote
from pgvigil.catalog.statistics import Statistics
from pgvigil.inference.by_name import Match, matches
from pgvigil.inference.candidate import Candidate, Reason
from pgvigil.inference.circumstances import Circumstances
from pgvigil.inference.comparable import family
from pgvigil.inference.landscape import Landscape, SingleKey
from pgvigil.inference.reading import Ending, Reading
from pgvigil.inference.vocabulary import (
    ATTRIBUTES,
    CODES,
    CUES,
    EXTERNAL,
    GENERIC_KEYS,
    NUMBERS,
    OF_THE_SOURCE,
    SELF_ROLES,
    SPELLED,
    VAGUE,
)
from pgvigil.inference.words import glue, split

HOPELESS = -5.5
"""No statistics and no sample make up for such log-odds."""

# Parents of one column that are kept, and how far they may be behind the best, which values may refute.
_MOST = 6
_BEHIND = 6.0

_WORD = re.compile(r"[^\W_]+")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)?")
_NO_READING = Reading((), Ending.NONE)
_SAYS = {
    "name_full": "the column's name is that of the table{ending}",
    "name_bare": "the column's name is that of the table without its prefix{ending}",
    "name_tail": "the column's name is the end of the table's{ending}",
    "name_head": "the column's name is the beginning of the table's{ending}",
    "name_in_front": "the column's name begins with the table's{ending}",
    "name_abbreviated": "the column's name abbreviates the table's, or the other way round{ending}",
    "name_initials": "the column's name has the initials of the table's{ending}",
    "name_completed": "the child's name and the column's make that of the table{ending}",
    "name_of_owner": "the child is called like a part of the table, and the column says no more",
    "key_name": "the column is called like the key",
    "key_shared": "the child is called like a part of the table, and its key is not filled by itself",
    "role_person": "the column says who did something, and the table holds people",
    "role_self": "the column names another row of the same table",
    "precedent_only": "columns with this name refer there elsewhere",
    "comment": "the column's comment names the table",
}


def candidates_of(
    landscape: Landscape,
    around: Circumstances,
    child: Table,
    column: Column,
    statistics: Statistics | None,
) -> list[Candidate]:
    """Return what a column may refer to, the best reading of its name for each parent.

    Nothing for a column that has a parent already, that an ancestor has given to the table, or whose type
    identifies nothing.
    """
    if not landscape.may_refer(child, column):
        return []
    best: dict[tuple[int, str], Candidate] = {}
    for match in _all_matches(landscape, child, column, statistics):
        key = match.key or _key_for(landscape, match, column)
        if key is None or (key.table.oid == child.oid and key.column.name == column.name):
            continue
        reasons = (*_of_the_name(child, column, match, key), *around.between(child, column, key))
        candidate = Candidate(child, (column.name,), key.table, (key.column.name,), reasons)
        known = best.get((key.table.oid, key.column.name))
        if known is None or candidate.log_odds > known.log_odds:
            best[key.table.oid, key.column.name] = candidate
    ranked = sorted(best.values(), key=lambda one: one.order)[:_MOST]
    least = max(HOPELESS, ranked[0].log_odds - _BEHIND) if ranked else HOPELESS
    return [one for one in ranked if one.log_odds > least]


def made(around: Circumstances, child: Table, column: Column, key: SingleKey, reason: Reason) -> Candidate:
    """Make a candidate that something else than its name led to, for the reason given."""
    reasons = (reason, *around.between(child, column, key))
    return Candidate(child, (column.name,), key.table, (key.column.name,), reasons)


def _all_matches(
    landscape: Landscape, child: Table, column: Column, statistics: Statistics | None
) -> Iterator[Match]:
    yield from matches(landscape, child, column)
    kind = family(column) or ""
    if set(split(column.name)) - SELF_ROLES - GENERIC_KEYS:
        for oid, name in _precedents(landscape, child, column, kind):
            for key in landscape.keys.get(oid, ()):
                if key.column.name == name:
                    yield Match(key.table, "precedent_only", _NO_READING, key=key)
    if statistics is not None and child.oid in statistics.tables:
        comment = statistics.tables[child.oid].column_comments.get(column.name, "")
        for table in _named_in(landscape, child, comment):
            yield Match(table, "comment", _NO_READING)


def _precedents(landscape: Landscape, child: Table, column: Column, kind: str) -> Iterable[tuple[int, str]]:
    """Return the keys that declared relations of such a column refer to; in the child's own schema, if any.

    Where each tenant has a schema, the tables of all the others say no more.
    """
    near = landscape.precedents_within.get((column.name, kind, child.schema), ())
    return near or landscape.precedents.get((column.name, kind), ())


def _named_in(landscape: Landscape, child: Table, comment: str) -> Iterator[Table]:
    """Yield the tables that a comment names, when it says that it speaks of a reference."""
    said = comment.lower()
    if not said or not any(cue in said for cue in CUES):
        return
    for word in dict.fromkeys(_IDENTIFIER.findall(comment)):
        first, _, second = word.rpartition(".")
        for name in (second, first):
            for table in landscape.catalog.named(name) or landscape.catalog.named(name.lower()):
                if table.schema in (child.schema, first) and table.oid in landscape.words:
                    yield table


def _key_for(landscape: Landscape, match: Match, column: Column) -> SingleKey | None:
    """Choose the key of a table that a column may refer to: the one of the same name, or the primary."""
    keys = [key for key in landscape.keys.get(match.table.oid, ()) if key.family == family(column)]
    said = {match.reading.said, glue(split(column.name))}
    return next((key for key in keys if glue(split(key.column.name)) in said), keys[0] if keys else None)


def _of_the_name(child: Table, column: Column, match: Match, key: SingleKey) -> Iterator[Reason]:
    reading = match.reading
    ending = f' and "{reading.said}"' if reading.said else ""
    amount = match.share if match.feature == "role_person" else 1.0
    yield Reason(match.feature, _SAYS[match.feature].format(ending=ending), amount)
    if match.feature in ("precedent_only", "comment", "key_shared"):
        return
    if match.feature in ("name_tail", "name_head"):
        yield Reason("tail_share", amount=match.share)
        if len(match.means) == 1 and match.means[0] in VAGUE:
            yield Reason("vague", f'"{match.means[0]}" may mean many things')
    if not (match.feature == "role_person" and match.role[-1:] == ("by",)):
        yield from _of_the_ending(column, reading)
    if match.role:
        yield from _of_the_role(match, of_its_own=match.table.oid == child.oid)
    elif match.table.oid == child.oid:
        yield Reason("own_table", "the column is called like its own table")
    name = glue(split(key.column.name))
    name = SPELLED.get(name, name)
    if reading.said and reading.said == name:
        yield Reason("ending_is_key", f'the key is called "{key.column.name}" as well')
    elif reading.ending is Ending.NATURAL and key.generic:
        yield Reason("ending_is_not_key", f'the key is called "{key.column.name}", not "{reading.said}"')
    if match.feature.startswith("name_") and name == glue(split(column.name)):
        yield Reason("key_is_named", f"the key there is called {quote(key.column.name)}, too")


def _of_the_ending(column: Column, reading: Reading) -> Iterator[Reason]:
    if reading.ending is not Ending.NONE:
        yield Reason(f"ending_{reading.ending}")
        return
    texts = family(column) not in ("integer", "uuid")
    says_nothing = "nothing in its name says that it is a reference"
    yield Reason("ending_none_of_text" if texts else "ending_none", says_nothing)
    last = reading.stem[-1] if reading.stem else ""
    if family(column) == "integer" and not glue(_words(column.name)).endswith(last):
        yield Reason("number", "a number called by a plural counts")
    elif family(column) in ("integer", "numeric") and last in NUMBERS:
        yield Reason("number", f'"{last}" is what numbers are called that count or measure')
    elif last in CODES:
        yield Reason("code", f'"{last}" is what codes are called that no table lists')
    elif family(column) == "text" and last in ATTRIBUTES:
        yield Reason("attribute", f'"{last}" is what texts are called that describe a row')


def _words(name: str) -> list[str]:
    """Return the words of a name as they are, in lower case."""
    return _WORD.findall(name.lower())


def _of_the_role(match: Match, *, of_its_own: bool) -> Iterator[Reason]:
    elsewhere = EXTERNAL | OF_THE_SOURCE if of_its_own else EXTERNAL
    outside = next((word for word in match.role if word in elsewhere), None)
    if outside:
        yield Reason("external", f'"{outside}" stands for something outside of this database')
    if not match.feature.startswith("role_"):
        yield Reason("role")
