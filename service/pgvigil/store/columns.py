"""How values are kept in columns: moments, JSON, text from outside.

The types give SQLAlchemy their functions as they are: its usual way around each takes longer than they do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import DateTime, Dialect, Text, TypeDecorator

_Processor: TypeAlias = Callable[[Any], Any]


@lru_cache(maxsize=1024)
def as_text(value: datetime | None) -> str | None:
    """Return a moment as SQLite stores it; many rows of one transaction have the same ones."""
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


@lru_cache(maxsize=1024)
def as_zoned_text(value: datetime | None) -> str | None:
    """Return a moment as PostgreSQL reads it, whatever the session's time zone is."""
    return None if value is None else value.astimezone(UTC).isoformat()


@lru_cache(maxsize=1024)
def _of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class Timestamp(TypeDecorator[datetime]):
    """An aware datetime, kept and given back in UTC; SQLite has no zones, so there it is text without."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> _Processor:
        """Return what makes of a moment what the database stores."""
        return as_text if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002 -- the base's
        """Return what makes a moment of what the database has stored."""
        return _of_text if dialect.name == "sqlite" else _in_utc


# One for all: json.dumps makes an encoder for each call, and json.loads looks for blanks that are not there.
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode
_decode = json.JSONDecoder().raw_decode


def as_json(value: Any) -> str | None:
    """Return the text of a value; what is no JSON (from a careless plugin) is kept as its `str`."""
    if value is None:
        return None
    # Most of what is kept is empty.
    if not value and isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return _encode(value)


def _of_json(value: str | None) -> Any:
    return None if value is None else {} if value == "{}" else _decode(value)[0]


class Json(TypeDecorator[Any]):
    """JSON kept as ASCII text: both databases take it whatever the characters, and nobody searches in it."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> _Processor:  # noqa: ARG002 -- the base's
        """Return what makes text of a value."""
        return as_json

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002 -- the base's
        """Return what makes a value of text."""
        return _of_json


def as_line(value: str | None) -> str | None:
    """Return a text without NUL and lone surrogates."""
    if value is None or (value.isascii() and "\0" not in value):
        return value
    return value.replace("\0", "\ufffd").encode(errors="replace").decode()


class Line(TypeDecorator[str]):
    """Text from outside; the characters that a database refuses are replaced, so that it can be stored."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> _Processor:  # noqa: ARG002 -- the base's
        """Return what makes a text fit."""
        return as_line
