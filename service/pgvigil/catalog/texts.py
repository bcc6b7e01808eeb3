"""Values as texts: whether a server that is sent the text of a value takes it for that very value.

Texts travel as UTF-8. That is one to one for UTF8 itself and for the encodings of one byte; of those of
several bytes some have two forms for one character (EUC_JP for №, say), of which only one ever comes back.
"""

from __future__ import annotations

from collections.abc import Iterable

REPLACED = "\ufffd"
"""Stands for bytes that are no text in their encoding, unless it was written."""

# As the server writes their names. SQL_ASCII is none: what it holds need not be text at all.
FAITHFUL_ENCODINGS = frozenset(
    "UTF8 LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6 LATIN7 LATIN8 LATIN9 LATIN10 "
    "ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8 KOI8R KOI8U "
    "WIN866 WIN874 WIN1250 WIN1251 WIN1252 WIN1253 WIN1254 WIN1255 WIN1256 WIN1257 WIN1258".split()
)
"""Encodings whose every text comes back from UTF-8 as it was."""

# The text of these is ASCII, and so the same in every encoding.
_ASCII = frozenset(
    "smallint integer bigint numeric real boolean uuid bytea date interval oid bit inet cidr "
    "macaddr macaddr8 int4range int8range numrange daterange tsrange tstzrange pg_lsn xid8".split()
) | {
    "double precision",
    "bit varying",
    "timestamp without time zone",
    "timestamp with time zone",
    "time without time zone",
    "time with time zone",
}
# Composites, arrays and ranges of types that somebody has made: who knows what is in them.
_MADE = frozenset("CAR")


def is_faithful(base_type: str, category: str, encoding: str) -> bool:
    """Tell whether values of a type come back as they were, once they have been text on the client.

    One whose text `may_be_damaged` does not in any case.
    """
    element = base_type.removesuffix("[]")
    if element in _ASCII:
        return True
    # A byte of "char" is none of the encoding's characters; regclass and its like show names of a moment.
    unknown = element == '"char"' or element.startswith("reg") or ("." in element and category in _MADE)
    return encoding in FAITHFUL_ENCODINGS and not unknown


def may_be_damaged(texts: Iterable[str]) -> bool:
    """Tell whether a text may stand for bytes that are none: sent back, it would be another value."""
    return any(REPLACED in text for text in texts)
