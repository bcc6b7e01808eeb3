"""How the formats of an audit write figures, and names that may hold any character."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pgvigil.audit.model import Audit, Origin
from pgvigil.catalog import quote
from pgvigil.inference import as_percent

# Control characters, and marks that hide or turn round what is written.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def seen(text: str) -> str:
    """Write out what could not be seen, so that a text is one line."""
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def number(count: int | None) -> str:
    """Write a figure; `?` where it is not known."""
    return "?" if count is None else f"{count:,}"


def size(count: int | None) -> str:
    """Write a size as PostgreSQL does, 1 kB being 1024 bytes; `?` where it is not known."""
    if count is None:
        return "?"
    left, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if left < 1024:
            break
        left, unit = left / 1024, larger
    figure = f"{left:.0f}" if left >= 10 else f"{left:.1f}".removesuffix(".0")
    return f"{figure} {unit}"


def moment(when: datetime | None) -> str:
    """Write a point in time in UTC, to the minute; `never` where there is none."""
    return "never" if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M}"


def instant(when: datetime | None) -> str | None:
    """Write a point in time for programs."""
    if when is None:
        return None
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def at_risk(rows: int | None) -> str:
    """Say whether rows could be lost."""
    if rows is None:
        return "rows unknown"
    return f"{rows:,} rows" if rows else "empty"


def children(rows: int | None) -> str:
    """Say how many rows the child of a broken relation has."""
    if rows is None:
        return "the child's rows are not known"
    return f"the child has {rows:,} rows" if rows else "the child is empty"


def only_where(condition: tuple[str, str] | None) -> str:
    """Say for which rows alone a relation holds; empty where it is for all."""
    if condition is None:
        return ""
    column, value = condition
    literal = value.replace("'", "''")
    return f" where {quote(column)} = '{literal}'"


def since(audit: Audit) -> str:
    """Say what an audit is compared with; empty where it is with nothing."""
    if audit.compared_with is None:
        return ""
    other = f", when it was database {seen(audit.compared_database)}" if audit.compared_database else ""
    return f"Changed since {moment(audit.compared_with)} UTC{other}"


def certainty(origin: Origin, probability: float) -> str:
    """Say who says that a relation or a pair holds, and the probability of a proposal."""
    return f"proposed {as_percent(probability)}" if origin is Origin.INFERRED else str(origin)
