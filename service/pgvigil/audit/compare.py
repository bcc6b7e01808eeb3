"""What changed since an earlier audit."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from pgvigil.audit.jsons import VERSION
from pgvigil.audit.model import Audit
from pgvigil.catalog import SchemaState, compare_schemas


def compared(audit: Audit, earlier: str) -> Audit:
    """Return the audit with the changes since the one that `earlier` is the JSON of.

    Raises ValueError, with a reason for whoever gave it, when it is something else.
    """
    document = _document(earlier)
    state = SchemaState.from_json(document.get("schema"))
    changes = compare_schemas(state, audit.state) if audit.state else ()
    database = str(document.get("database") or "")
    return replace(
        audit,
        changes=changes,
        compared_with=_moment(document.get("taken_at")),
        compared_database="" if database == audit.database else database,
    )


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        raise ValueError("is no JSON: expected what pgvigil audit --format json wrote") from None
    if not isinstance(document, dict) or "inventory" not in document:
        raise ValueError("is no audit: expected what pgvigil audit --format json wrote")
    if document.get("version") != VERSION:
        raise ValueError(
            f"is an audit of version {document.get('version')}, and this pgvigil reads {VERSION}"
        )
    return document


def _moment(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        raise ValueError("is an audit that does not say when it was taken") from None
