"""What the API answers: all of it asks the store, on threads of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query

from pgvigil.check import Outcome, Severity
from pgvigil.clock import Clock
from pgvigil.incident import State
from pgvigil.store import CoverageState, Filter, Store
from pgvigil.web.api import models as m
from pgvigil.web.api import said
from pgvigil.web.control import Control

_MOST_ROWS = 1000

Target = Annotated[str | None, Query(description="Only of this target.")]


def _narrowed(
    target: Target = None,
    check: Annotated[str | None, Query(description="Only of this check.")] = None,
    subject: Annotated[str | None, Query(description="Only of this subject.")] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS, description="Rows at the most.")] = 100,
    offset: Annotated[int, Query(ge=0, le=10**9, description="Rows to pass over.")] = 0,
) -> Filter:
    return Filter(target=target, check=check, subject=subject, limit=limit, offset=offset)


Narrowed = Annotated[Filter, Depends(_narrowed)]


def current(store: Store, control: Control) -> APIRouter:
    """Make the routes of what is known now."""
    router = APIRouter(tags=["reading"])

    @router.get("/targets")
    def targets() -> list[m.TargetAnswer]:
        """Return all targets by name."""
        return [m.TargetAnswer.model_validate(one) for one in store.targets()]

    @router.get("/checks")
    def checks() -> list[m.CheckAnswer]:
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
    def coverage(target: Target = None) -> list[m.CoverageAnswer]:
        """Return the coverage of every check: what was not examined to its end is unknown."""
        return [m.CoverageAnswer.model_validate(one) for one in store.coverage(target)]

    @router.get("/subjects")
    def subjects(
        narrowed: Narrowed, state: Annotated[list[CoverageState] | None, Query()] = None
    ) -> list[m.SubjectAnswer]:
        """Return subjects by target, check and name."""
        wanted = replace(narrowed, states=state)
        return [m.SubjectAnswer.model_validate(one) for one in store.subjects(wanted)]

    @router.get("/config")
    def config() -> dict[str, Any]:
        """Return the configuration in force; secrets, and what came from outside the file, are left out."""
        return dict(control.settings())

    return router


def past(store: Store, clock: Clock) -> APIRouter:
    """Make the routes of what has happened."""
    router = APIRouter(tags=["reading"])

    @router.get("/incidents")
    def incidents(
        narrowed: Narrowed,
        state: Annotated[list[State] | None, Query()] = None,
        severity: Annotated[list[Severity] | None, Query()] = None,
    ) -> list[m.IncidentAnswer]:
        """Return incidents, the most urgent first; those that are over come last."""
        wanted, now = replace(narrowed, states=state, severities=severity), clock.now()
        return [said.incident(one, now) for one in store.incidents(wanted)]

    @router.get("/incidents/{incident}")
    def incident(incident: str) -> m.HistoryAnswer:
        """Return one incident with its evidence and its history."""
        found = store.incident(incident)
        if found is None:
            raise HTTPException(404, f"there is no incident {incident!r}")
        return said.history(found, clock.now())

    @router.get("/runs")
    def runs(
        narrowed: Narrowed, outcome: Annotated[list[Outcome] | None, Query()] = None
    ) -> list[m.RunAnswer]:
        """Return runs, the last recorded first."""
        return [said.run(one) for one in store.runs(replace(narrowed, states=outcome))]

    @router.get("/deployments")
    def deployments(narrowed: Narrowed) -> list[m.DeploymentAnswer]:
        """Return deployments, the newest first; only the target narrows."""
        return [m.DeploymentAnswer.model_validate(one) for one in store.deployments(narrowed)]

    return router
