"""What the names of tables and columns say of their likeness, beyond spelling.

A name is a set of stems: `released_on` and `releaseDate` are both {releas}, `tagline` and `subtitle` the same
word, and what a column shares with the name of its own table (`game_slug` of `games`) tells nothing.
"""

from __future__ import annotations

from functools import lru_cache

from pgvigil.catalog import Table
from pgvigil.inference.vocabulary import COPIES, GENERIC_KEYS
from pgvigil.inference.words import split

Stems = frozenset[str]

_ENDINGS = ("ing", "er", "ed", "e")
_SHORTEST_STEM = 4
_YEAR_DIGITS = 4
# They say what kind of value it is, or nothing.
_EMPTY = frozenset("a an at by date datetime day for in is of on the time timestamp ts tz utc".split())
_SYNONYMS = (
    "name title label caption",
    "subtitle tagline slogan",
    "description summary abstract",
    "price cost amount",
    "email mail",
    "phone telephone tel",
    "created inserted added",
    "updated modified changed",
    "url link uri href",
    "attribute metadata property",
    "quantity qty count",
    "vendor supplier",
    "customer client",
    "company organization organisation",
    "zip postcode postal",
    "surname lastname",
    "firstname forename",
    "number no nr num",
    "picture image photo avatar",
    "language lang locale",
    "category type kind",
    "status state",
)
# By which a key names the system that it is a key of: `external_id` here is `id` there.
_ELSEWHERE = frozenset("external ext foreign legacy origin original remote source upstream".split())
_ID = frozenset({"id"})
# What a row is marked with, whatever it is about.
_MARKS = frozenset(
    "active batch checksum created deleted etl hash id load row sync tenant updated version".split()
)
# Beside what is called a copy: where rows pass through on their way.
_STAGES = frozenset("buffer imported incoming landing raw src source stg".split())
_SAME = {word: words.split()[0] for words in _SYNONYMS for word in words.split()}


@lru_cache(maxsize=65_536)
def stems(name: str) -> Stems:
    """Return what a name consists of, without what is empty of meaning unless there is nothing else."""
    found = frozenset(_stem(word) for word in split(name)) or frozenset((name,))
    return found - _EMPTY or found


def column_stems(name: str, table: Table) -> Stems:
    """Return what a column's name consists of, without the name of its table and the word id."""
    whole = stems(name) - _ID or stems(name)
    return whole - stems(table.name) or whole


def key_stems(name: str, table: Table) -> Stems:
    """Return what the name of a table's own key consists of, wherever the key comes from."""
    whole = stems(name)
    found = whole - stems(table.name) or whole
    return found - _ELSEWHERE or found


def likeness(left: Stems, right: Stems) -> float:
    """Return how alike two names are: Dice's coefficient, 1 for the same stems, 0 for none in common."""
    return 2 * len(left & right) / (len(left) + len(right)) if left or right else 0.0


def is_mark(name: str) -> bool:
    """Tell whether a column marks the row and says nothing of what it is about: `updated_at`, `version`."""
    return stems(name) <= _MARK_STEMS


def is_generic(name: str) -> bool:
    """Tell whether a key's name says nothing of whose key it is: `code`, `slug`, `uuid`."""
    return GENERIC_KEYS.issuperset(split(name))


def is_copy(table: Table) -> bool:
    """Tell whether a table's name, or its schema's, says that it keeps what was, or what is on its way."""
    words = (*split(table.name), *split(table.schema))
    dated = any(word.isdigit() and len(word) >= _YEAR_DIGITS for word in words)
    return dated or not (COPIES | _STAGES).isdisjoint(words)


def _stem(word: str) -> str:
    word = _SAME.get(word, word)
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word.removesuffix(ending)
    return word


_MARK_STEMS = frozenset(map(_stem, _MARKS))
