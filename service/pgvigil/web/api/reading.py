"""What the API answers: all of it asks the store, on threads of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from pgvigil.clock import Clock
from pgvigil.store import Store
from pgvigil.web.api import models as m
from pgvigil.web.api import said
from pgvigil.web.control import Control

No = Annotated[m.Nothing, Query()]


def current(store: Store, control: Control) -> APIRouter:
    """Make the routes of what is known now."""
    router = APIRouter(tags=["reading"])

    @router.get("/targets")
    def targets(_: No) -> list[m.TargetAnswer]:
        """Return all targets by name."""
        return [m.TargetAnswer.model_validate(one) for one in store.targets()]

    @router.get("/checks")
    def checks(_: No) -> list[m.CheckAnswer]:
        """Return all checks by target and name."""
        due = control.next_due()
        return [
            m.CheckAnswer(
                target=one.target,
                check=one.name,
                interval_seconds=one.interval_seconds,
                discovered_at=one.discovered_at,
                next_due=due.get(f"{one.target}/{one.name}"),
            )
            for one in store.checks()
        ]

    @router.get("/coverage")
    def coverage(narrowed: Annotated[m.OneTarget, Query()]) -> list[m.CoverageAnswer]:
        """Return the coverage of every check: what was not examined to its end is unknown."""
        return [m.CoverageAnswer.model_validate(one) for one in store.coverage(narrowed.target)]

    @router.get("/subjects")
    def subjects(narrowed: Annotated[m.SubjectNarrowing, Query()]) -> list[m.SubjectAnswer]:
        """Return subjects by target, check and name."""
        found = store.subjects(narrowed.filter(narrowed.state))
        return [m.SubjectAnswer.model_validate(one) for one in found]

    @router.get("/config")
    def config(_: No) -> dict[str, Any]:
        """Return the configuration in force; secrets, and what came from outside the file, are left out."""
        return dict(control.settings())

    return router


def past(store: Store, clock: Clock) -> APIRouter:
    """Make the routes of what has happened."""
    router = APIRouter(tags=["reading"])

    @router.get("/incidents")
    def incidents(narrowed: Annotated[m.IncidentNarrowing, Query()]) -> list[m.IncidentAnswer]:
        """Return incidents, the most urgent first; those that are over come last."""
        now = clock.now()
        wanted = replace(narrowed.filter(narrowed.state), severities=narrowed.severity)
        return [said.incident(one, now) for one in store.incidents(wanted)]

    @router.get("/incidents/{incident}")
    def incident(incident: str, _: No) -> m.HistoryAnswer:
        """Return one incident with its evidence and its history."""
        found = store.incident(incident)
        if found is None:
            raise HTTPException(404, f"there is no incident {incident!r}")
        return said.history(found, clock.now())

    @router.get("/runs")
    def runs(narrowed: Annotated[m.RunNarrowing, Query()]) -> list[m.RunAnswer]:
        """Return runs, the last recorded first."""
        return [said.run(one) for one in store.runs(narrowed.filter(narrowed.outcome))]

    @router.get("/deployments")
    def deployments(narrowed: Annotated[m.Narrowing, Query()]) -> list[m.DeploymentAnswer]:
        """Return deployments, the newest first; only the target narrows."""
        return [m.DeploymentAnswer.model_validate(one) for one in store.deployments(narrowed.filter())]

    return router
