"""The words that names are made of, so that `userGroups`, `user_group` and `usergroup` are seen to be one.

The rules of English plurals are few here on purpose: a singular need not be right, it need only be the same
one for both spellings of a word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

_APART = re.compile(r"[^\W_]+")
# A run of capitals is a word up to the last one, which begins the next: HTTPServer.
_HUMPS = re.compile(r"(?<=[^\W\d_])(?=[A-Z][a-z])|(?<=[a-z\d])(?=[A-Z])")

_IRREGULAR = {
    "people": "person",
    "persons": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "indices": "index",
    "indexes": "index",
    "matrices": "matrix",
    "vertices": "vertex",
    "appendices": "appendix",
    "analyses": "analysis",
    "bases": "base",
    "criteria": "criterion",
    "movies": "movie",
    "cookies": "cookie",
    "menus": "menu",
    "caches": "cache",
    "axes": "axis",
    "halves": "half",
    "leaves": "leaf",
    "lives": "life",
    "shelves": "shelf",
    "quizzes": "quiz",
    "shoes": "shoe",
}
_SAME = frozenset(
    {"series", "species", "news", "means", "gas", "has", "was", "alias", "atlas", "canvas", "bias"}
)
# Endings, longest first, with what stands instead.
_ENDINGS = (
    ("ouses", "ouse"),
    ("auses", "ause"),
    ("iases", "ias"),
    ("sses", "ss"),
    ("shes", "sh"),
    ("ches", "ch"),
    ("uses", "us"),
    ("ies", "y"),
    ("xes", "x"),
    ("zes", "ze"),
    ("oes", "o"),
    ("ss", "ss"),
    ("us", "us"),
    ("is", "is"),
    ("s", ""),
)
_PLURALS = frozenset(("n", "en", "e", "er", "es", "i", "a", "x"))
# Pieces of words written as one: shorter ones would be found in any word.
_SHORTEST, _LONGEST = 4, 20
_VOWELS = frozenset("aeiou")


@lru_cache(maxsize=65_536)
def split(name: str) -> tuple[str, ...]:
    """Split a name into its words, in lower case and the singular."""
    return tuple(
        singular(word.lower()) for part in _APART.findall(name) for word in _HUMPS.split(part) if word
    )


def segmented(word: str, known: Collection[str]) -> tuple[str, ...]:
    """Split a word that was written without anything between, if known words make it up: as few as can be.

    Django writes `paymenteventtype`, where others write `payment_event_type`.
    """
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(word) + 1):
        fits = [
            (*before, piece)
            for start in range(max(0, end - _LONGEST), end - _SHORTEST + 1)
            if (before := best[start]) is not None and (piece := word[start:end]) in known and piece != word
        ]
        best.append(min(fits, key=len, default=None))
    return best[-1] or (word,)


def singular(word: str) -> str:
    """Return the singular of a word in lower case; of one that is no plural, the word itself."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.endswith("s") or word in _SAME:
        return word
    ending, instead = next(pair for pair in _ENDINGS if word.endswith(pair[0]))
    return word[: len(word) - len(ending)] + instead


def glue(words: Sequence[str]) -> str:
    """Write words as one, as `product_class` and `productclass` are one."""
    return "".join(words)


def without_digits(word: str) -> str:
    """Return a word without the number at its end."""
    return word.rstrip("0123456789")


def inflects(one: str, other: str) -> bool:
    """Tell whether one word may be the plural of the other, in some other language: Gilde and Gilden."""
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and long.startswith(short) and long[len(short) :] in _PLURALS


def abbreviates(short: str, long: str) -> bool:
    """Tell whether a word is a usual abbreviation of another: `cust`, `usr`, `dept`, `tmpl`, `acct`.

    It begins like the whole word, has at least two letters less, and is its beginning, or has its letters in
    their order without any vowel that the whole word does not have there, and ends on a consonant.
    """
    if not 2 <= len(short) <= len(long) - 2 + (len(long) <= 4) or short[0] != long[0]:
        return False
    if long.startswith(short):
        return len(short) >= 3
    return short[-1] not in _VOWELS and len(short) >= 3 and _in_order(short, long)


def _in_order(short: str, long: str) -> bool:
    letters = iter(long)
    return all(letter in letters for letter in short)
