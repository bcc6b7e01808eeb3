"""Tells an expression over a row's columns from anything that would reach beyond it.

A target's session is read-only and takes one statement at a time, so a wrong expression can do no harm there;
here it gets an answer that names it, before anything is asked of the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<string>'(?:[^']|'')*')
    | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<mark>[,.]|::?)
    | (?P<operator>[-+*/<>=~!@\#%^&|`?]+)
    """,
    re.VERBOSE,
)
# Without these there is no subquery.
_NOT_OF_A_ROW = frozenset({"select", "table", "values", "with", "into"})
_OPENED_BY = {")": "(", "]": "["}


def is_name(text: str) -> bool:
    """Tell whether a text can only be meant as a column's name: it has nothing that computes."""
    return all(char.isalnum() or char in '_$" ' for char in text)


def names(text: str) -> Iterator[str]:
    """Yield the names in an expression, as PostgreSQL reads them: columns, functions, keywords alike."""
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "word":
            yield token[0].lower()
        elif token.lastgroup == "quoted":
            yield token[0][1:-1].replace('""', '"')


def flaw(text: str) -> str | None:
    """Say what keeps a text from being one expression over a row's columns."""
    opened: list[str] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            return f"character {text[position]!r} has no place in an expression"
        reason = _misplaced(token, text, opened)
        if reason is not None:
            return reason
        position = token.end()
    if opened:
        return f"a {opened[-1]!r} is never closed"
    return None if text.strip() else "it is empty"


def _misplaced(token: re.Match[str], text: str, opened: list[str]) -> str | None:
    """Say what is wrong with one token; keeps the brackets that are open."""
    written = token[0]
    match token.lastgroup:
        case "open":
            opened.append(written)
        case "close":
            if not opened or opened.pop() != _OPENED_BY[written]:
                return f"a {written!r} closes nothing"
        case "operator" if "--" in written or "/*" in written:
            return "comments have no place in it"
        case "word" if written.lower() in _NOT_OF_A_ROW:
            return f"{written!r} reaches beyond the row"
        # E'…' and U&'…' read what is inside the quotes in another way than plain strings.
        case "word" if text[token.end() : token.end() + 1] == "'" or text[token.end() :].startswith("&'"):
            return f"write a plain string instead of {written}'…'"
        case "mark" if written == "," and not opened:
            return "it is more than one: map each to a column of its own"
    return None
