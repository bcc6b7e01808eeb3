"""What people have decided in a running pgvigil, for commands that propose the same anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from pgvigil.cli.calling import Daemon
from pgvigil.errors import UsageError
from pgvigil.proposal import Kind, Offer, Proposal, ProposalState


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a running pgvigil was told of proposals on a target, by id."""

    target: str
    by_id: Mapping[str, Proposal]

    @classmethod
    def of(cls, daemon: Daemon, target: str | None) -> Decisions:
        """Ask a daemon; raises as `Daemon.get` does, and UsageError when it watches several targets."""
        name = _only_one(daemon) if target is None else target
        told = [one for one in daemon.get("proposals", {"target": name}) if one["decision"] is not None]
        return cls(name, {one["id"]: _proposal(one) for one in told})

    def adopted(self) -> Sequence[Proposal]:
        """Return what was adopted."""
        return [one for one in self.by_id.values() if one.decision is ProposalState.ADOPTED]

    def hold(self, kind: Kind, subject: str) -> bool:
        """Tell whether somebody decided on this already, one way or the other."""
        return Offer(kind=kind, subject=subject, settings=None).id_on(self.target) in self.by_id


def _only_one(daemon: Daemon) -> str:
    """Return the only target of a daemon: what was decided on one of several may be of another database."""
    names = sorted(daemon.get("config", {})["targets"])
    if len(names) != 1:
        raise UsageError(f"{daemon.url} has several targets ({', '.join(names)}): choose one with --target")
    return str(names[0])


def in_words(decided: Proposal) -> str:
    """Say who adopted it, when, and why."""
    on = "" if decided.decided_at is None else f" on {decided.decided_at:%Y-%m-%d}"
    why = f": {decided.why}" if decided.why else ""
    return f"adopted by {decided.decided_by}{on}{why}"


def _proposal(told: Mapping[str, Any]) -> Proposal:
    """Read a proposal as the API shows it."""
    known = {field.name: told[field.name] for field in fields(Proposal)}
    decided_at = told["decided_at"]
    return Proposal(
        **{
            **known,
            "kind": Kind(told["kind"]),
            "state": ProposalState(told["state"]),
            "decision": ProposalState(told["decision"]),
            "evidence": tuple(told["evidence"]),
            "proposed_at": datetime.fromisoformat(told["proposed_at"]),
            "decided_at": None if decided_at is None else datetime.fromisoformat(decided_at),
        }
    )
