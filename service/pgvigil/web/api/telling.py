"""What people and pipelines tell. The guard has let the caller in, and left the name with the request."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.security import HTTPBasic, HTTPBearer

from pgvigil.clock import Clock
from pgvigil.incident import Incident
from pgvigil.logs import get_logger
from pgvigil.store import Deployment, Store
from pgvigil.web.api import said
from pgvigil.web.api.answers import Deployed, DeploymentAnswer, Error, Examining, IncidentAnswer
from pgvigil.web.api.named import require_target
from pgvigil.web.api.questions import DeploymentQuestion, MarkQuestion, RunQuestion
from pgvigil.web.control import Control

log = get_logger(__name__)

# Clocks differ; a deployment of tomorrow is a slip of the pen.
_MOST_AHEAD = timedelta(minutes=5)
# For the document alone.
_BEARER = HTTPBearer(auto_error=False, description="A token of the configuration's `web.tokens`.")
_BASIC = HTTPBasic(auto_error=False, description="A user of the web configuration.")


def events(store: Store, control: Control, clock: Clock) -> APIRouter:
    """Make the routes by which somebody tells what happened, and what is to happen."""
    router = router_of_words()

    @router.post("/deployments", status_code=201)
    def deployed(deployment: DeploymentQuestion, request: Request) -> Deployed:
        """Tell that a version was deployed; what is first seen from then on counts as new."""
        now = clock.now()
        if deployment.at is not None and deployment.at > now + _MOST_AHEAD:
            raise HTTPException(422, "at is in the future")
        names = control.targets()
        if deployment.target is not None:
            require_target(deployment.target, names)
            names = [deployment.target]
        # By our clock: what is first seen after it is new.
        at = min(deployment.at or now, now)
        marked = [Deployment(name, deployment.version, at, request.state.caller.name) for name in names]
        store.record_deployments(marked)
        log_of(request, "deployment marked", targets=names, version=deployment.version)
        ticks = [tick for name in names for tick in control.examine(name, None)] if deployment.examine else []
        return Deployed(deployments=[DeploymentAnswer.model_validate(one) for one in marked], examining=ticks)

    @router.post("/runs", status_code=202)
    def run(wanted: RunQuestion, request: Request) -> Examining:
        """Let a target be examined now, whatever its schedule."""
        require_target(wanted.target, control.targets())
        if control.stands_by():
            raise HTTPException(409, "this replica stands by: ask the one that leads")
        # Before they begin: what began later has seen what was there at this moment.
        at = clock.now()
        ticks = control.examine(wanted.target, wanted.check)
        if not ticks:
            raise HTTPException(404, f"there is no check {wanted.check} on target {wanted.target}")
        log_of(request, "run asked for", ticks=ticks)
        return Examining(examining=ticks, at=at)

    return router


def words(store: Store, clock: Clock) -> APIRouter:
    """Make the routes by which people say their word on an incident."""
    router = router_of_words()

    @router.post("/incidents/{incident}/acknowledge")
    def acknowledge(incident: str, mark: MarkQuestion, request: Request) -> IncidentAnswer:
        """Note that somebody takes care of an incident. It goes on, and goes on alerting."""
        now = clock.now()
        _require_live(store, incident)
        who, until = who_says(mark.who, request), _until(mark, now)
        changed = store.acknowledge(incident, who=who, at=now, until=until, note=mark.note)
        log_of(request, "incident acknowledged", id=incident, by=who)
        return said.incident(changed, now)

    @router.post("/incidents/{incident}/mute")
    def mute(incident: str, mark: MarkQuestion, request: Request) -> IncidentAnswer:
        """Keep an incident from alerting anybody, until a time or until it resolves."""
        now = clock.now()
        _require_live(store, incident)
        who, until = who_says(mark.who, request), _until(mark, now)
        changed = store.mute(incident, who=who, at=now, until=until, reason=mark.note)
        log_of(request, "incident muted", id=incident, by=who, until=until and until.isoformat())
        return said.incident(changed, now)

    @router.post("/incidents/{incident}/unmute")
    def unmute(incident: str, request: Request, mark: MarkQuestion | None = None) -> IncidentAnswer:
        """Lift a mute."""
        now = clock.now()
        if _require_live(store, incident).muted is None:
            raise HTTPException(409, f"incident {incident} is not muted")
        who = who_says(mark.who if mark else None, request)
        changed = store.unmute(incident, who=who, at=now)
        log_of(request, "incident unmuted", id=incident, by=who)
        return said.incident(changed, now)

    return router


def router_of_words() -> APIRouter:
    """Make a router of routes that change something."""
    return APIRouter(
        tags=["telling"],
        dependencies=[Depends(_BEARER), Depends(_BASIC), Depends(_json_alone)],
        responses={status: {"model": Error} for status in (403, 409, 415)},
    )


async def _json_alone(request: Request) -> None:
    """Refuse what only claims to be something else: a page of another site may send that unasked."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and request.headers.get("content-length", "0") != "0":
        raise HTTPException(415, "send the body as JSON, with Content-Type: application/json")


def log_of(request: Request, event: str, **what: object) -> None:
    """Log what somebody told, and who did."""
    log.info(event, caller=request.state.caller.name, address=request.client and request.client.host, **what)


def _require_live(store: Store, incident: str) -> Incident:
    found = store.incident(incident)
    if found is None:
        raise HTTPException(404, f"there is no incident {incident!r}")
    if not found.incident.live:
        raise HTTPException(
            409, f"incident {incident} is resolved: there is nothing left to acknowledge or mute"
        )
    return found.incident


def who_says(person: str | None, request: Request) -> str:
    """Return who says so: whoever was authenticated, and the person that a program speaks for."""
    caller: str = request.state.caller.name
    return caller if person is None else f"{person} (by {caller})"


def _until(mark: MarkQuestion, now: datetime) -> datetime | None:
    try:
        return mark.ends(now)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
