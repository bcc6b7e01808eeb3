"""The plugin contract: all that a check needs, and all that it may see.

A check is a subclass of `Check` in any installed distribution, announced through the entry point group
`pgvigil.checks`. It finds its subjects in a catalog (`discover`) and looks at one of them at a time (`run`),
reaching the database only through its `Context`, so that it cannot leave the safe session: read-only, one
snapshot at a time, bounded by the target's budget.
"""

from pgvigil.check.context import Context
from pgvigil.check.model import (
    Discovery,
    Examined,
    Finding,
    JsonValue,
    Outcome,
    Problem,
    Query,
    Row,
    Severity,
    Skipped,
    Subject,
    Verdict,
    fingerprint,
)
from pgvigil.check.pace import Pace
from pgvigil.check.plugin import DOC_SECTIONS, Check, Description, P, Params, describe, load_sql

__all__ = [
    "DOC_SECTIONS",
    "Check",
    "Context",
    "Description",
    "Discovery",
    "Examined",
    "Finding",
    "JsonValue",
    "Outcome",
    "P",
    "Pace",
    "Params",
    "Problem",
    "Query",
    "Row",
    "Severity",
    "Skipped",
    "Subject",
    "Verdict",
    "describe",
    "fingerprint",
    "load_sql",
]
