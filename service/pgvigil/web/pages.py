"""The console's pages: what each of them reads, and the template that shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pgvigil.adoption import matching
from pgvigil.clock import Clock
from pgvigil.incident import Incident, State
from pgvigil.inference import as_percent
from pgvigil.notify import alert_name
from pgvigil.proposal import ProposalState
from pgvigil.standing import standing
from pgvigil.store import CoverageState, Filter, Store
from pgvigil.watch import WHOLE_CHECK
from pgvigil.web import runbooks, words
from pgvigil.web.control import Control
from pgvigil.web.picture import console, is_stale, urgency
from pgvigil.web.sample import laid_out

_PAGE_SIZE = 100
_RUNS_SHOWN = 20
_LONG_RUN_SECONDS = 5.0
_NARROWING = ("target", "check", "subject")
_SORRY = {404: "There is nothing at this address.", 405: "This address is only for looking."}


class Pages:
    """Makes the pages; each public method makes one."""

    def __init__(self, store: Store, control: Control, clock: Clock, version: str) -> None:
        self._store = store
        self._control = control
        self._clock = clock
        self._templates = Environment(
            loader=PackageLoader("pgvigil.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters = (
            words.stamp,
            words.moment,
            words.size,
            words.interval,
            words.number,
            words.value,
            words.flat,
            words.passages,
            as_percent,
            matching,
        )
        self._templates.filters |= {each.__name__: each for each in filters}
        self._templates.globals |= {"version": version, "whole_check": WHOLE_CHECK}

    def console(self, _: Request) -> Response:
        """Answer `/`: the state of everything, from memory."""
        not_ready = self._control.trouble()
        picture = console(
            self._store.view(),
            self._control.next_due(),
            self._clock.now(),
            windows=self._control.windows(),
            not_ready=not_ready,
        )
        shown = picture.incidents[:_PAGE_SIZE]
        return self._page("console.html", picture=picture, incidents=shown, not_ready=not_ready)

    def incidents(self, request: Request) -> Response:
        """Answer `/incidents`: the live ones, all or of a subject, a page at a time, from memory."""
        now, narrowed = self._clock.now(), _narrowed(request)
        found = (
            incident
            for incident in self._store.view().incidents.values()
            if all(getattr(incident, name) == value for name, value in narrowed.items())
        )
        every = sorted(found, key=lambda incident: urgency(incident, now))
        offset = _offset(request)
        return self._page(
            "incidents.html",
            incidents=every[offset : offset + _PAGE_SIZE],
            total=len(every),
            narrowed=narrowed,
            offset=offset,
            size=_PAGE_SIZE,
        )

    def resolved(self, request: Request) -> Response:
        """Answer `/incidents?state=resolved`: a page at a time, the last resolved first."""
        offset, narrowed = _offset(request), _narrowed(request)
        wanted = Filter(states=[State.RESOLVED], limit=_PAGE_SIZE + 1, offset=offset, **narrowed)
        found = self._store.incidents(wanted)
        return self._page(
            "resolved.html",
            incidents=found[:_PAGE_SIZE],
            narrowed=narrowed,
            more=len(found) > _PAGE_SIZE,
            offset=offset,
            size=_PAGE_SIZE,
        )

    def incident(self, request: Request) -> Response:
        """Answer `/incidents/{id}`: one incident, its history and the last runs of its subject."""
        history = self._store.incident(request.path_params["id"])
        if history is None:
            raise HTTPException(404, "There is no incident of this id; old ones are forgotten after a while.")
        incident = history.incident
        runs = self._store.runs(
            Filter(target=incident.target, check=incident.check, subject=incident.subject, limit=_RUNS_SHOWN)
        )
        acceptance = self._store.acceptances.find((incident.target, incident.check, incident.subject))
        # Once more: what a click accepts must not be newer than what is shown.
        history = self._store.incident(incident.id) or history
        incident = history.incident
        return self._page(
            "incident.html",
            incident=incident,
            sample=laid_out(incident.finding.sample),
            events=history.events,
            runs=runs,
            acceptance=acceptance,
            runbook=_runbook(incident),
            may_write=request.state.caller.may_write,
        )

    def proposals(self, request: Request) -> Response:
        """Answer `/proposals`: those of a state, a page at a time."""
        text, offset = request.query_params.get("state", ProposalState.PROPOSED.value), _offset(request)
        if text not in set(ProposalState):
            raise HTTPException(400, f"The state is one of {', '.join(ProposalState)}.")
        configured = self._control.targets()
        known = [one for one in self._store.proposals.all(states=[text]) if one.target in configured]
        found = known[offset : offset + _PAGE_SIZE + 1]
        return self._page(
            "proposals.html",
            proposals=found[:_PAGE_SIZE],
            states=list(ProposalState),
            state=text,
            failures=self._store.proposals.failures(),
            more=len(found) > _PAGE_SIZE,
            offset=offset,
            size=_PAGE_SIZE,
            may_write=request.state.caller.may_write,
        )

    def target(self, request: Request) -> Response:
        """Answer `/targets/{name}`: one target's coverage and its subjects, a page at a time."""
        name = request.path_params["name"]
        view, now = self._store.view(), self._clock.now()
        picture = console(view, self._control.next_due(), now, windows=self._control.windows())
        intervals = {each.check: each.interval_seconds for each in picture.coverage if each.target == name}
        row = next((target for target in picture.targets if target.name == name), None)
        if row is None:
            raise HTTPException(404, "There is no target of this name.")
        state, check, offset = _state(request), request.query_params.get("check"), _offset(request)
        subjects = self._store.subjects(
            Filter(
                target=name,
                check=check,
                states=None if state is None else [state],
                limit=_PAGE_SIZE + 1,
                offset=offset,
            ),
            worst_first=True,
        )
        return self._page(
            "target.html",
            target=row,
            guest=self._control.guest(name),
            coverage=[each for each in picture.coverage if each.target == name],
            underway=[
                each
                for each in self._control.underway()
                if each.target == name and each.seconds >= _LONG_RUN_SECONDS
            ],
            incidents=[each for each in picture.incidents if each.target == name],
            subjects=subjects[:_PAGE_SIZE],
            stale=lambda subject: is_stale(subject, intervals.get(subject.check), now),
            more=len(subjects) > _PAGE_SIZE,
            state=state,
            check=check,
            offset=offset,
            size=_PAGE_SIZE,
        )

    def runbooks(self, _: Request) -> Response:
        """Answer `/runbooks`: the list."""
        return self._page(
            "runbooks.html", runbooks={name: runbooks.meaning(name) for name in runbooks.names()}
        )

    def runbook(self, request: Request) -> Response:
        """Answer `/runbooks/{name}`: what to do about an alert."""
        name = request.path_params["name"]
        text = runbooks.html(name)
        if text is None:
            raise HTTPException(404, "There is no runbook of this name.")
        return self._page("runbook.html", name=name, text=text)

    def missing(self, _: Request, error: Exception) -> Response:
        """Answer what there is no page for."""
        assert isinstance(error, HTTPException)  # noqa: S101 -- registered for no other
        title = HTTPStatus(error.status_code).phrase
        text = _SORRY.get(error.status_code, "") if error.detail == title else error.detail
        return self._sorry(error.status_code, title, text, headers=error.headers)

    def store_failed(self, _: Request, error: Exception) -> Response:
        """Answer that the state store could not be asked, and what to do about it."""
        return self._sorry(503, "The state store does not answer", str(error))

    def _sorry(
        self, status: int, title: str, text: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        return self._page("sorry.html", status=status, headers=headers, title=title, text=text)

    def _page(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **what: Any
    ) -> Response:
        now = self._clock.now()
        html = self._templates.get_template(template).render(
            now=now,
            ago=lambda moment: words.ago(moment, now),
            standing=lambda incident: standing(incident, now),
            **what,
        )
        # What no encoding can carry (a lone surrogate in a title) must not cost the whole page.
        return HTMLResponse(html.encode(errors="replace"), status_code=status, headers=headers)


def _offset(request: Request) -> int:
    """Return how many rows to pass over; a page's address holds it."""
    text = request.query_params.get("offset", "0")
    if not re.fullmatch("[0-9]{1,9}", text):
        raise HTTPException(400, "The offset is a count of rows to pass over.")
    return int(text)


def _runbook(incident: Incident) -> str:
    """Return the alert that tells of an incident, empty when there is no runbook for it."""
    alert = alert_name(incident.check, incident.severity)
    return alert if alert in runbooks.names() else ""


def _narrowed(request: Request) -> dict[str, str]:
    """Return what the list of incidents is narrowed to; an alert's link holds it."""
    return {name: request.query_params[name] for name in _NARROWING if name in request.query_params}


def _state(request: Request) -> CoverageState | None:
    """Return the state that the list is narrowed to, None when it is not."""
    text = request.query_params.get("state")
    try:
        return None if text is None else CoverageState(text)
    except ValueError as error:
        raise HTTPException(400, f"The state is one of {', '.join(CoverageState)}.") from error
