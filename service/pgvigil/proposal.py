"""What is proposed to people, and what they say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from pgvigil.catalog import Traces, parse_relation
from pgvigil.check import JsonValue


class Kind(StrEnum):
    """What is proposed."""

    RELATION = "relation"
    PAIR = "pair"


class ProposalState(StrEnum):
    """Where a proposal stands.

    `adopted`: it is examined as if it were configured. `rejected`: it is never proposed again. `superseded`:
    a declared key, or the configuration, says the same by now; should that go, it is again what it was.
    """

    PROPOSED = "proposed"
    ADOPTED = "adopted"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something to propose; `settings` is what a check's settings would say of it.

    `traces` are what it is about in the catalog, None where nobody has looked.
    """

    kind: Kind
    subject: str
    settings: JsonValue
    probability: float = 1.0
    evidence: tuple[str, ...] = ()
    traces: Traces | None = None

    def id_on(self, target: str) -> str:
        """Return what names it, whichever way round it is written."""
        named = "\0".join((target, self.kind, alike(self.kind, self.subject)))
        return sha256(named.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What was proposed, by whom (`source`), and what somebody decided; `decision` outlives `superseded`."""

    id: str
    target: str
    kind: Kind
    subject: str
    state: ProposalState
    source: str
    probability: float
    evidence: tuple[str, ...]
    settings: JsonValue
    proposed_at: datetime
    decision: ProposalState | None
    decided_by: str | None
    decided_at: datetime | None
    why: str | None


def alike(kind: str, subject: str) -> str:
    """Return what is the same whatever the order of a relation's columns, or of a pair's sides."""
    if kind == Kind.PAIR:
        return " <> ".join(sorted(subject.split(" <> ")))
    try:
        name = parse_relation(subject)
    except ValueError:
        return subject
    pairs = sorted(zip(name.child_columns, name.parent_columns, strict=True))
    return f"{name.child}{pairs}{name.parent}"
