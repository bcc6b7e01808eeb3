"""From counts to a verdict: findings with their samples, the strategy, and what the next run is to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from psycopg import sql

from pgvigil.check import Context, Examined, JsonValue
from pgvigil_checks.orphans.findings import finding, orphans, partial_nulls
from pgvigil_checks.orphans.walk import Walked
from pgvigil_checks.references import Reference


@dataclass(frozen=True, slots=True)
class How:
    """By which strategy and why, what narrows down where orphans are, and what it leaves to the next run."""

    strategy: str
    explain: str
    among: sql.Composed | None = None
    memory: Mapping[str, JsonValue] = field(default_factory=dict)


def examined(context: Context, reference: Reference, seen: Walked, how: How) -> Examined:
    """Make findings of what was counted."""
    findings = [
        finding(context, reference, fault, count, among)
        for fault, count, among in (
            (orphans(reference, seen.orphans), seen.orphans, how.among),
            (partial_nulls(reference, seen.partial), seen.partial, None),
        )
        if count
    ]
    return Examined(
        findings=tuple(findings),
        rows_examined=seen.rows,
        strategy=how.strategy,
        explain=how.explain,
        memory={**how.memory, "faults": seen.orphans + seen.partial},
    )


def is_trusted(context: Context, walked: Walked) -> bool:
    """Tell whether a walk's counts are to be shown.

    A row that moves ahead of a walk may be passed by, so what heals has to be seen in one snapshot. So has
    what was not looked at again at its end: it may have been mended since it was found. Of more orphans than
    are kept one that still is proves the fault; where none is left, nothing is known of the others.
    """
    seen_again = not walked.partial and (bool(walked.lost) or not walked.cut)
    return seen_again and bool(walked.orphans or not context.memory.get("faults"))
