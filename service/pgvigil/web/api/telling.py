"""What people and pipelines tell. The guard has let the caller in, and left the name with the request."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.security import HTTPBasic, HTTPBearer

from pgvigil.clock import Clock
from pgvigil.store import Deployment, Store
from pgvigil.web.api import models as m
from pgvigil.web.api import said
from pgvigil.web.control import Control

# Clocks differ; a deployment of tomorrow is a slip of the pen.
_MOST_AHEAD = timedelta(minutes=5)
# For the document alone.
_BEARER = HTTPBearer(auto_error=False, description="A token of the configuration's `web.tokens`.")
_BASIC = HTTPBasic(auto_error=False, description="A user of the web configuration.")


def telling(store: Store, control: Control, clock: Clock) -> APIRouter:
    """Make the routes by which something is changed."""
    router = APIRouter(tags=["telling"], dependencies=[Depends(_BEARER), Depends(_BASIC)])

    @router.post("/deployments", status_code=201)
    def deployed(deployment: m.DeploymentQuestion, request: Request) -> m.Deployed:
        """Tell that a version was deployed; what is first seen from then on counts as new."""
        now = clock.now()
        if deployment.at is not None and deployment.at > now + _MOST_AHEAD:
            raise HTTPException(422, "at is in the future")
        names = control.targets()
        if deployment.target is not None:
            _require_target(deployment.target, names)
            names = [deployment.target]
        at = deployment.at or now
        marked = [Deployment(name, deployment.version, at, request.state.caller.name) for name in names]
        store.record_deployments(marked)
        ticks = [tick for name in names for tick in control.examine(name, None)] if deployment.examine else []
        return m.Deployed(
            deployments=[m.DeploymentAnswer.model_validate(one) for one in marked], examining=ticks
        )

    @router.post("/runs", status_code=202)
    def run(wanted: m.RunQuestion) -> m.Examining:
        """Let a target be examined now, whatever its schedule."""
        _require_target(wanted.target, control.targets())
        ticks = control.examine(wanted.target, wanted.check)
        if not ticks:
            raise HTTPException(
                409, "nothing begins: this replica stands by, or there is no such check on the target"
            )
        return m.Examining(examining=ticks)

    @router.post("/incidents/{incident}/acknowledge")
    def acknowledge(incident: str, mark: m.MarkQuestion, request: Request) -> m.IncidentAnswer:
        """Note that somebody takes care of an incident. It goes on, and goes on alerting."""
        now = clock.now()
        _require_live(store, incident)
        who, until = _who(mark, request), _until(mark, now)
        changed = store.acknowledge(incident, who=who, at=now, until=until, note=mark.note)
        return said.incident(changed, now)

    @router.post("/incidents/{incident}/mute")
    def mute(incident: str, mark: m.MarkQuestion, request: Request) -> m.IncidentAnswer:
        """Keep an incident from alerting anybody, until a time or until it resolves."""
        now = clock.now()
        _require_live(store, incident)
        who, until = _who(mark, request), _until(mark, now)
        changed = store.mute(incident, who=who, at=now, until=until, reason=mark.note)
        return said.incident(changed, now)

    @router.post("/incidents/{incident}/unmute")
    def unmute(incident: str, request: Request, mark: m.MarkQuestion | None = None) -> m.IncidentAnswer:
        """Lift a mute."""
        now = clock.now()
        _require_live(store, incident)
        changed = store.unmute(incident, who=_who(mark or m.MarkQuestion(), request), at=now)
        return said.incident(changed, now)

    return router


def _require_target(target: str, names: list[str]) -> None:
    if target not in names:
        raise HTTPException(404, f"there is no target {target}, only {', '.join(names)}")


def _require_live(store: Store, incident: str) -> None:
    found = store.incident(incident)
    if found is None:
        raise HTTPException(404, f"there is no incident {incident!r}")
    if not found.incident.live:
        raise HTTPException(
            409, f"incident {incident} is resolved: there is nothing left to acknowledge or mute"
        )


def _who(mark: m.MarkQuestion, request: Request) -> str:
    """Return who says so: whoever was authenticated, and the person that a program speaks for."""
    caller: str = request.state.caller.name
    return caller if mark.who is None else f"{mark.who} (by {caller})"


def _until(mark: m.MarkQuestion, now: datetime) -> datetime | None:
    try:
        return mark.ends(now)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
