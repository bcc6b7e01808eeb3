"""The plugin contract: all that a check needs, and all that it may see.

A check is a subclass of `Check` in any installed distribution, announced through the entry point group
`pgvigil.checks`. It finds its subjects in a catalog (`discover`) and looks at one of them at a time (`run`),
or at several together (`batches`, `run_many`), reaching the database only through a `Context`, so that it
cannot leave the safe session: read-only, one snapshot at a time, bounded by the target's budget.
"""

from pgvigil.check.batch import Batch
from pgvigil.check.context import Context, Peer, State, Touched
from pgvigil.check.model import (
    Bound,
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
from pgvigil.check.plugin import (
    DOC_SECTIONS,
    Check,
    Description,
    Elsewhere,
    Named,
    P,
    Params,
    describe,
    load_sql,
)

__all__ = [
    "DOC_SECTIONS",
    "Batch",
    "Bound",
    "Check",
    "Context",
    "Description",
    "Discovery",
    "Elsewhere",
    "Examined",
    "Finding",
    "JsonValue",
    "Named",
    "Outcome",
    "P",
    "Pace",
    "Params",
    "Peer",
    "Problem",
    "Query",
    "Row",
    "Severity",
    "Skipped",
    "State",
    "Subject",
    "Touched",
    "Verdict",
    "describe",
    "fingerprint",
    "load_sql",
]
