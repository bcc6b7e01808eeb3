"""What the API answers: all of it asks the store, on threads of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from pgvigil.clock import Clock
from pgvigil.metrics import Guest
from pgvigil.store import Store, TargetStatus
from pgvigil.web.api import said
from pgvigil.web.api.answers import (
    CheckAnswer,
    CoverageAnswer,
    DeploymentAnswer,
    HistoryAnswer,
    IncidentAnswer,
    RunAnswer,
    StandbyAnswer,
    SubjectAnswer,
    TargetAnswer,
    UnderwayAnswer,
)
from pgvigil.web.api.questions import (
    IncidentNarrowing,
    Narrowing,
    Nothing,
    OneTarget,
    RunNarrowing,
    SubjectNarrowing,
)
from pgvigil.web.control import Control

No = Annotated[Nothing, Query()]


def _target(status: TargetStatus, guest: Guest | None, failure: str | None) -> TargetAnswer:
    answer = TargetAnswer.model_validate(status)
    if guest is not None and guest.standby is not None:
        answer.standby = StandbyAnswer.model_validate(guest.standby)
    answer.proposals_error = failure
    return answer


def current(store: Store, control: Control) -> APIRouter:
    """Make the routes of what is known now."""
    router = APIRouter(tags=["reading"])

    @router.get("/targets")
    def targets(_: No) -> list[TargetAnswer]:
        """Return all targets by name."""
        failures = store.proposals.failures()
        return [_target(one, control.guest(one.name), failures.get(one.name)) for one in store.targets()]

    @router.get("/checks")
    def checks(_: No) -> list[CheckAnswer]:
        """Return all checks by target and name."""
        due = control.next_due()
        return [
            CheckAnswer(
                target=one.target,
                check=one.name,
                interval_seconds=one.interval_seconds,
                discovered_at=one.discovered_at,
                swept_at=one.swept_at,
                next_due=due.get(f"{one.target}/{one.name}"),
            )
            for one in store.checks()
        ]

    @router.get("/underway")
    def underway(_: No) -> list[UnderwayAnswer]:
        """Return the runs that go on at this moment; a replica that stands by has none."""
        return [UnderwayAnswer.model_validate(one) for one in control.underway()]

    @router.get("/coverage")
    def coverage(narrowed: Annotated[OneTarget, Query()]) -> list[CoverageAnswer]:
        """Return the coverage of every check: what was not examined to its end is unknown."""
        return [CoverageAnswer.model_validate(one) for one in store.coverage(narrowed.target)]

    @router.get("/subjects")
    def subjects(narrowed: Annotated[SubjectNarrowing, Query()]) -> list[SubjectAnswer]:
        """Return subjects by target, check and name."""
        found = store.subjects(narrowed.filter(narrowed.state))
        return [SubjectAnswer.model_validate(one) for one in found]

    @router.get("/config")
    def config(_: No) -> dict[str, Any]:
        """Return the configuration in force; secrets, and what came from outside the file, are left out."""
        return dict(control.settings())

    return router


def past(store: Store, clock: Clock) -> APIRouter:
    """Make the routes of what has happened."""
    router = APIRouter(tags=["reading"])

    @router.get("/incidents")
    def incidents(narrowed: Annotated[IncidentNarrowing, Query()]) -> list[IncidentAnswer]:
        """Return incidents, the most urgent first; those that are over come last."""
        now = clock.now()
        wanted = replace(narrowed.filter(narrowed.state), severities=narrowed.severity)
        return [said.incident(one, now) for one in store.incidents(wanted)]

    @router.get("/incidents/{incident}")
    def incident(incident: str, _: No) -> HistoryAnswer:
        """Return one incident with its evidence and its history."""
        found = store.incident(incident)
        if found is None:
            raise HTTPException(404, f"there is no incident {incident!r}")
        return said.history(found, clock.now())

    @router.get("/runs")
    def runs(narrowed: Annotated[RunNarrowing, Query()]) -> list[RunAnswer]:
        """Return runs, the last recorded first."""
        return [said.run(one) for one in store.runs(narrowed.filter(narrowed.outcome))]

    @router.get("/deployments")
    def deployments(narrowed: Annotated[Narrowing, Query()]) -> list[DeploymentAnswer]:
        """Return deployments, the newest first; only the target narrows."""
        return [DeploymentAnswer.model_validate(one) for one in store.deployments(narrowed.filter())]

    return router
