"""What people decide: which proposals are examined, and what of a target's schema is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request

from pgvigil.catalog import RelationName, parse_relation
from pgvigil.clock import Clock
from pgvigil.proposal import Kind, Offer, Proposal, ProposalState
from pgvigil.store import Store
from pgvigil.web.api.answers import AcceptanceAnswer, Accepted, Imported, ProposalAnswer
from pgvigil.web.api.named import require_target
from pgvigil.web.api.questions import (
    AcceptanceNarrowing,
    AcceptQuestion,
    DecisionQuestion,
    ImportQuestion,
    ProposalNarrowing,
)
from pgvigil.web.api.telling import log_of, router_of_words, who_says
from pgvigil.web.control import Control


def decisions(store: Store, control: Control) -> APIRouter:
    """Make the routes of what there is to decide, and what was, on the targets of the configuration."""
    router = APIRouter(tags=["reading"])

    @router.get("/proposals")
    def proposals(narrowed: Annotated[ProposalNarrowing, Query()]) -> list[ProposalAnswer]:
        """Return proposals by target and kind, the most probable first."""
        found, configured = store.proposals.all(narrowed.target, narrowed.state), control.targets()
        return [ProposalAnswer.model_validate(one) for one in found if one.target in configured]

    @router.get("/acceptances")
    def acceptances(narrowed: Annotated[AcceptanceNarrowing, Query()]) -> list[AcceptanceAnswer]:
        """Return what is accepted as right, and whether it differs from what was seen last."""
        found, configured = store.acceptances.all(narrowed.target, narrowed.check), control.targets()
        return [AcceptanceAnswer.model_validate(one) for one in found if one.target in configured]

    return router


def deciding(store: Store, control: Control, clock: Clock) -> APIRouter:
    """Make the routes by which people decide."""
    router = router_of_words()

    @router.post("/proposals/{proposal}/adopt")
    def adopt(proposal: str, said: DecisionQuestion, request: Request) -> ProposalAnswer:
        """Let a proposal be examined from now on, as if it were configured."""
        _require_proposal(store, proposal)
        who = who_says(said.who, request)
        decided = store.proposals.adopt(proposal, who=who, at=clock.now(), why=said.note)
        log_of(request, "proposal adopted", id=proposal, subject=decided.subject, by=who)
        return ProposalAnswer.model_validate(decided)

    @router.post("/proposals/{proposal}/reject")
    def reject(proposal: str, said: DecisionQuestion, request: Request) -> ProposalAnswer:
        """Never propose it again; what was adopted is no longer examined."""
        _require_proposal(store, proposal)
        who = who_says(said.who, request)
        decided = store.proposals.reject(proposal, who=who, at=clock.now(), why=said.note)
        log_of(request, "proposal rejected", id=proposal, subject=decided.subject, by=who)
        return ProposalAnswer.model_validate(decided)

    @router.post("/proposals", status_code=201)
    def bring(brought: ImportQuestion, request: Request) -> Imported:
        """Propose relations that a team has written down elsewhere, and adopt them unless told otherwise."""
        target = _the_target(brought.target, control)
        names = _parsed(brought.relations)
        misfits = _misfits(control, target, names)
        why = f"imported from {brought.source}"
        offers = [
            Offer(kind=Kind.RELATION, subject=str(name), settings=str(name), evidence=(why,))
            for name in names
            if name not in misfits
        ]
        now, who = clock.now(), who_says(brought.who, request)
        proposed = store.proposals.propose(target, offers, source=brought.source, at=now)
        theirs = _theirs(store, target, offers)
        undecided = [one for one in theirs if one.decision is None] if brought.adopt else []
        for one in undecided:
            store.proposals.adopt(one.id, who=who, at=now, why=why)
        log_of(request, "relations imported", target=target, source=brought.source, added=proposed.added)
        return Imported(
            target=target,
            offered=len(names),
            added=proposed.added,
            adopted=len(undecided),
            adopted_before=sum(one.decision is ProposalState.ADOPTED for one in theirs),
            rejected=sum(one.decision is ProposalState.REJECTED for one in theirs),
            left_out=[f"{name}: {misfit}" for name, misfit in misfits.items()],
        )

    @router.post("/acceptances", status_code=201)
    def accept(word: AcceptQuestion, request: Request) -> Accepted:
        """Accept what was seen last as right: one subject, or all of a check that differ on a target."""
        target = _the_target(word.target, control)
        names = [word.subject] if word.subject is not None else _differing(store, target, word.check)
        now, who = clock.now(), who_says(word.who, request)
        accepted = []
        for name in names:
            if store.acceptances.find((target, word.check, name)) is None:
                raise HTTPException(404, f"nothing is known of {name} on target {target}")
            one = store.acceptances.accept((target, word.check, name), who=who, at=now, seen=word.seen)
            accepted.append(AcceptanceAnswer.model_validate(one))
        if not accepted:
            return Accepted(accepted=[], examining=[])
        log_of(request, "accepted", target=target, check=word.check, subjects=names, by=who)
        return Accepted(accepted=accepted, examining=control.examine(target, word.check))

    return router


def _require_proposal(store: Store, proposal: str) -> None:
    if store.proposals.find(proposal) is None:
        raise HTTPException(404, f"there is no proposal {proposal!r}")


def _the_target(target: str | None, control: Control) -> str:
    names = control.targets()
    if target is None and len(names) == 1:
        return names[0]
    if target is None:
        raise HTTPException(422, f"target: there are several, {', '.join(names)}")
    require_target(target, names)
    return target


def _parsed(relations: list[str]) -> list[RelationName]:
    try:
        return list(dict.fromkeys(parse_relation(one) for one in relations))
    except ValueError as error:
        raise HTTPException(422, f"relations: {error}") from None


def _misfits(control: Control, target: str, names: list[RelationName]) -> Mapping[RelationName, str]:
    """Return what the target has not, and why; refuse relations that are all of another database."""
    if not names:
        return {}
    if control.stands_by():
        raise HTTPException(409, "this replica stands by: ask the one that leads")
    misfits = control.misfits(target, names)
    if len(misfits) == len(names):
        name, misfit = next(iter(misfits.items()))
        raise HTTPException(422, f"relations: target {target} has none of them; {name}: {misfit}")
    return misfits


def _theirs(store: Store, target: str, offers: list[Offer]) -> list[Proposal]:
    """Return what is proposed on a target and the same as what is offered."""
    ids = {one.id_on(target) for one in offers}
    return [one for one in store.proposals.all(target) if one.id in ids]


def _differing(store: Store, target: str, check: str) -> list[str]:
    return [one.subject for one in store.acceptances.all(target, check) if one.differs]
