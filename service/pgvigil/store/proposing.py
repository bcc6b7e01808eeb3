"""Proposals in the store: what writes and reads them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from pgvigil.catalog import Traces
from pgvigil.check import JsonValue
from pgvigil.errors import UsageError
from pgvigil.proposal import Kind, Offer, Proposal, ProposalState, alike
from pgvigil.store.schema import among, equals
from pgvigil.store.schema import proposals as table

Called: TypeAlias = Callable[[str, Traces | None], tuple[str, Traces | None]]
"""Tells how a subject is called now, by what it was called and made of; and what it is made of now."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What came of offers: how many are new, and how many were taken back, as nobody offers them any more."""

    added: int
    withdrawn: int


def propose(
    connection: Connection,
    target: str,
    offers: Iterable[Offer],
    source: str,
    at: datetime,
    known: Collection[str] | None,
) -> Proposed:
    """Make the offers what the source proposes; what was decided stays as it is.

    `known` are the subjects that are declared or configured anyway. With None, they are not looked at, and
    nothing is taken back: the offers are some among others, by somebody who knows. What was offered before is
    this source's from then on, so that no other one takes it back.
    """
    offered = {one.id_on(target): one for one in offers}
    there = {row["id"]: row for row in connection.execute(_all(target)).mappings()}
    new = [_row(key, target, one, source, at) for key, one in offered.items() if key not in there]
    if new:
        connection.execute(insert(table), new)
    for key, one in offered.items():
        if key not in there or there[key]["decision"] is not None:
            continue
        renewed = _renewed(one, source, takes_over=known is None, same=there[key]["source"] == source)
        if renewed:
            connection.execute(update(table).filter_by(id=key).values(renewed))
    if known is None:
        return Proposed(len(new), 0)
    gone = [
        key
        for key, row in there.items()
        if key not in offered and row["decision"] is None and row["source"] == source
    ]
    _supersede(connection, target, known)
    withdrawn = delete(table).where(table.c.id.in_(gone), table.c.state != ProposalState.SUPERSEDED.value)
    return Proposed(len(new), connection.execute(withdrawn).rowcount)


def _renewed(offer: Offer, source: str, *, takes_over: bool, same: bool) -> dict[str, Any]:
    """Return what changes of a proposal that is offered again, by its own source or by another one."""
    traces: dict[str, Any] = {} if offer.traces is None else {"traces": offer.traces}
    if takes_over:
        return {"source": source, **_changing(offer), **traces}
    return {**_changing(offer), **traces} if same else traces


def follow(connection: Connection, target: str, called: Called) -> list[str]:
    """Give what was rejected on a target the names that it has now; return these."""
    there = {row["id"]: row for row in connection.execute(_all(target)).mappings()}
    new_names = []
    for key, row in there.items():
        if row["decision"] != ProposalState.REJECTED.value:
            continue
        subject, traces = called(row["subject"], row["traces"])
        said: dict[str, Any] = {"traces": traces}
        if subject != row["subject"]:
            offer = Offer(
                kind=Kind(row["kind"]), subject=subject, settings=_renamed(row["settings"], subject)
            )
            said |= {"id": offer.id_on(target), "subject": subject, "settings": offer.settings}
            other = there.get(said["id"])
            if other is not None and other["decision"] is not None:
                continue
            # Under its new name it may have been proposed before anybody knew.
            connection.execute(delete(table).filter_by(id=said["id"]))
            new_names.append(subject)
        if said != {"traces": row["traces"]}:
            connection.execute(update(table).filter_by(id=key).values(said))
    return new_names


def decide(
    connection: Connection, proposal: str, decision: ProposalState, who: str, at: datetime, why: str
) -> Proposal:
    """Adopt or reject a proposal; raises UsageError when there is none of this id, or it is so already."""
    found = find(connection, proposal)
    if found is None:
        raise UsageError(f"there is no proposal {proposal!r}")
    if found.decision is decision:
        raise UsageError(f"proposal {proposal} is {decision} already, by {found.decided_by}")
    said = {"decision": decision.value, "decided_by": who, "decided_at": at, "why": why}
    state = ProposalState.SUPERSEDED if found.state is ProposalState.SUPERSEDED else decision
    changed = update(table).filter_by(id=proposal).values(state=state.value, **said).returning(table)
    return _of_row(connection.execute(changed).mappings().one())


def find(connection: Connection, proposal: str) -> Proposal | None:
    """Return a proposal, None when there is none of this id."""
    row = connection.execute(select(table).where(equals(table.c.id, proposal))).mappings().one_or_none()
    return _of_row(row) if row else None


def list_proposals(
    connection: Connection, target: str | None, states: Collection[str] | None
) -> list[Proposal]:
    """Return proposals, the most probable first, by target and kind."""
    query = select(table).order_by(
        table.c.target, table.c.kind.desc(), table.c.probability.desc(), table.c.subject
    )
    if target is not None:
        query = query.where(equals(table.c.target, target))
    if states is not None:
        query = query.where(among(table.c.state, states))
    return [_of_row(row) for row in connection.execute(query).mappings()]


def adopted(connection: Connection) -> list[Proposal]:
    """Return what is adopted on any target, in the order in which it was."""
    query = select(table).filter_by(decision=ProposalState.ADOPTED.value)
    query = query.order_by(table.c.decided_at, table.c.id)
    return [_of_row(row) for row in connection.execute(query).mappings()]


def _supersede(connection: Connection, target: str, known: Collection[str]) -> None:
    """Note what is declared or configured by now, and what no longer is."""
    already = {alike(kind, subject) for subject in known for kind in Kind}
    for row in connection.execute(_all(target)).mappings():
        superseded = alike(row["kind"], row["subject"]) in already
        otherwise = row["decision"] or ProposalState.PROPOSED.value
        state = ProposalState.SUPERSEDED.value if superseded else otherwise
        if state != row["state"]:
            connection.execute(update(table).filter_by(id=row["id"]).values(state=state))


def _renamed(settings: JsonValue, subject: str) -> JsonValue:
    """Return the settings of a proposal under another name."""
    if not isinstance(settings, Mapping):
        return subject
    left, right = subject.split(" <> ")
    return {**settings, "left": left, "right": right}


def _all(target: str) -> Any:
    return select(table).filter_by(target=target).with_for_update()


def _row(key: str, target: str, offer: Offer, source: str, at: datetime) -> dict[str, Any]:
    return {
        "id": key,
        "target": target,
        "kind": offer.kind.value,
        "state": ProposalState.PROPOSED.value,
        "source": source,
        "proposed_at": at,
        "traces": offer.traces,
        **_changing(offer),
    }


def _changing(offer: Offer) -> dict[str, Any]:
    return {
        "subject": offer.subject,
        "probability": offer.probability,
        "evidence": list(offer.evidence),
        "settings": offer.settings,
    }


def _of_row(row: RowMapping | Mapping[str, Any]) -> Proposal:
    return Proposal(
        id=row["id"],
        target=row["target"],
        kind=Kind(row["kind"]),
        subject=row["subject"],
        state=ProposalState(row["state"]),
        source=row["source"],
        probability=row["probability"],
        evidence=tuple(row["evidence"]),
        settings=row["settings"],
        proposed_at=row["proposed_at"],
        decision=ProposalState(row["decision"]) if row["decision"] else None,
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        why=row["why"],
    )
