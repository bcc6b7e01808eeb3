"""The API: what it answers, what it may be told, by whom, and how it refuses."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from structlog.testing import capture_logs

from pgvigil.check import Outcome
from pgvigil.incident import State
from pgvigil.store import Store
from pgvigil.underway import Underway
from pgvigil.web.access import Caller, Rules
from pgvigil.web.security import Security
from tests.web.world import NOW, RELATION, crowded, discovered, ended, failed, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.web.conftest import Answer, Site

WRITER, READER = "w" * 32, "r" * 32
TOKENS = Security(
    Rules(
        tokens={
            WRITER.encode(): Caller("ci", "write"),
            READER.encode(): Caller("grafana", "read"),
        }
    )
)


@pytest.fixture
def site(store: Store, serve: Callable[..., Site]) -> Site:
    return serve(store, TOKENS)


def get(site: Site, path: str) -> Any:
    answer = site.ask(f"/api/v1/{path}")
    assert answer.status == 200, answer.text
    return json.loads(answer.body)


def post(site: Site, path: str, what: object = None, token: str = WRITER) -> Answer:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return site.ask(
        f"/api/v1/{path}",
        "POST",
        headers={**headers, "Content-Type": "application/json"},
        body=json.dumps(what),
    )


def refusal(answer: Answer) -> str:
    told = json.loads(answer.body)
    assert list(told) == ["error"]
    assert "\n" not in told["error"]
    return str(told["error"])


def test_it_answers_what_the_store_holds(store: Store, site: Site) -> None:
    crowded(store)
    ended(store)
    assert {one["name"]: one["up"] for one in get(site, "targets")} == {
        "games": True,
        "kasse-ü": False,
        "old": True,
    }
    assert {(one["target"], one["check"]) for one in get(site, "checks")} >= {("games", "table_drift")}
    coverage = {(one["target"], one["check"]): one for one in get(site, "coverage?target=games")}
    counted = coverage["games", "orphan_rows"]
    assert counted["known"] == counted["passed"] + counted["failed"] + counted["unknown"] == 31
    failed_ones = get(site, "subjects?target=games&check=orphan_rows&state=failed")
    assert len(failed_ones) == counted["failed"]
    assert {one["state"] for one in get(site, "incidents?state=open&state=suspect")} == {"open", "suspect"}
    assert {one["resolution"] for one in get(site, "incidents?state=resolved")} == {
        "healed",
        "vanished",
        "unconfirmed",
    }
    assert [one["id"] for one in get(site, "runs?limit=3")] == sorted(
        (one["id"] for one in get(site, "runs?limit=3")), reverse=True
    )
    assert len(get(site, "runs?limit=3&offset=2")) == 3
    assert get(site, "config") == site.control.settings()


def test_an_incident_comes_with_its_evidence_and_its_history(store: Store, site: Site) -> None:
    discovered(store, RELATION.format(1))
    incident = store.record(failed(RELATION.format(1))).incidents[0]
    store.mute(incident.id, who="béla", at=NOW, until=NOW + timedelta(hours=1), reason="migration")
    told = get(site, f"incidents/{incident.id}")
    assert (told["code"], told["count"], told["state"], told["standing"]) == ("orphans", 17, "open", "muted")
    assert told["muted"]["who"] == "béla"
    assert told["sample"] == [{"game_id": 4711}, {"game_id": None}]
    assert told["evidence_sql"].startswith("SELECT game_id")
    assert [event["kind"] for event in told["events"]] == ["opened", "muted"]
    assert told["fingerprint"] == incident.fingerprint


def test_a_deployment_is_recorded_under_the_callers_name_and_examined(store: Store, site: Site) -> None:
    answer = post(site, "deployments", {"version": "2031.5.1", "target": "games"})
    assert answer.status == 201
    assert json.loads(answer.body)["examining"] == ["games/orphan_rows", "games/table_drift"]
    (marked,) = store.deployments()
    assert (marked.target, marked.version, marked.at, marked.marked_by) == ("games", "2031.5.1", NOW, "ci")
    assert get(site, "deployments")[0]["version"] == "2031.5.1"
    assert site.control.hurried == ["games/orphan_rows", "games/table_drift"]


def test_a_deployment_without_a_target_is_one_of_all(store: Store, site: Site) -> None:
    site.control.watched["shop"] = ["tables"]
    body = {"version": "v1", "at": "2031-05-06T01:00:00+02:00", "examine": False}
    assert post(site, "deployments", body).status == 201
    assert [(one.target, one.at.hour) for one in store.deployments()] == [("shop", 23), ("games", 23)]
    assert site.control.hurried == []


def test_a_clock_that_is_ahead_hides_nothing_that_is_new(store: Store, site: Site) -> None:
    assert post(site, "deployments", {"version": "v1", "at": "2031-05-06T03:04:00Z"}).status == 201
    assert [one.at for one in store.deployments()] == [NOW]


def test_a_run_begins_when_it_is_asked_for(site: Site) -> None:
    answer = post(site, "runs", {"target": "games", "check": "table_drift"})
    told = json.loads(answer.body)
    assert (answer.status, told.pop("at")) == (202, "2031-05-06T03:00:00Z")
    assert told == {"examining": ["games/table_drift"]}
    site.control.leads = False
    answer = post(site, "runs", {"target": "games"})
    assert (answer.status, refusal(answer)) == (409, "this replica stands by: ask the one that leads")
    assert site.control.hurried == ["games/table_drift"]


def test_people_acknowledge_mute_and_unmute(store: Store, site: Site) -> None:
    discovered(store, RELATION.format(1))
    incident = store.record(failed(RELATION.format(1))).incidents[0].id
    answer = post(site, f"incidents/{incident}/acknowledge", {"note": "on it", "who": "anna"})
    assert json.loads(answer.body)["acknowledged"]["who"] == "anna (by ci)"
    answer = post(site, f"incidents/{incident}/mute", {"for": "2h", "note": "migration"})
    assert answer.status == 200
    told = get(site, f"incidents/{incident}")
    assert (told["standing"], told["muted"]["who"]) == ("muted", "ci")
    assert told["muted"]["until"] == (NOW + timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    assert json.loads(post(site, f"incidents/{incident}/unmute").body)["standing"] == "acknowledged"
    answer = post(site, f"incidents/{incident}/unmute")
    assert (answer.status, refusal(answer)) == (409, f"incident {incident} is not muted")
    assert store.view().incidents[incident].muted is None


def test_a_resolved_or_unknown_incident_cannot_be_marked(store: Store, site: Site) -> None:
    discovered(store, RELATION.format(1))
    incident = store.record(failed(RELATION.format(1))).incidents[0].id
    store.record(run(RELATION.format(1), Outcome.PASS))
    answer = post(site, f"incidents/{incident}/mute", {})
    assert answer.status == 409
    assert "is resolved" in refusal(answer)
    answer = post(site, "incidents/nothing/acknowledge", {})
    assert (answer.status, refusal(answer)) == (404, "there is no incident 'nothing'")


@pytest.mark.parametrize("token", ["", READER, "x" * 32])
@pytest.mark.parametrize("path", ["deployments", "runs", "incidents/{}/mute", "incidents/{}/acknowledge"])
def test_nobody_changes_anything_without_the_scope_for_it(
    store: Store, site: Site, path: str, token: str
) -> None:
    discovered(store, RELATION.format(1))
    incident = store.record(failed(RELATION.format(1))).incidents[0].id
    answer = post(site, path.format(incident), {"version": "v1", "target": "games"}, token)
    assert answer.status == (403 if token == READER else 401)
    refusal(answer)
    assert store.deployments() == []
    assert store.incidents()[0].muted is None
    assert store.incidents()[0].acknowledged is None
    assert site.control.hurried == []


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("deployments", {}, "version: Field required"),
        ("deployments", {"version": "a\nb"}, "version: expected a version on one line"),
        ("deployments", {"version": "x" * 500}, "version: expected a version"),
        (
            "deployments",
            {"version": "v1", "at": "2031-05-06T03:00:00"},
            "at: Input should have timezone info",
        ),
        ("deployments", {"version": "v1", "at": "2031-05-07T03:00:00Z"}, "at is in the future"),
        ("deployments", {"version": "v1", "at": "0001-01-01T00:00:00+14:00"}, "at: expected a time between"),
        ("incidents/{}/mute", {"until": "9999-12-31T23:59:59-12:00"}, "until: expected a time between"),
        ("deployments", {"version": "v1", "when": 1}, "when: Extra inputs are not permitted"),
        ("runs", {"target": 5}, "target: Input should be a valid string"),
        ("incidents/{}/mute", {"until": "2031-05-06T02:00:00Z"}, "until is in the past"),
        ("incidents/{}/mute", {"until": "2032-05-06T02:00:00Z", "for": "1h"}, "give until or for, not both"),
        ("incidents/{}/mute", {"for": "forever"}, "for: "),
        ("incidents/{}/acknowledge", [], "Input should be a valid dictionary"),
    ],
)
def test_a_wrong_request_is_one_line_and_changes_nothing(
    store: Store, site: Site, path: str, body: object, words: str
) -> None:
    discovered(store, RELATION.format(1))
    incident = store.record(failed(RELATION.format(1))).incidents[0].id
    answer = post(site, path.format(incident), body)
    assert answer.status == 422
    assert words in refusal(answer)
    assert store.deployments() == []
    assert [one.state for one in store.incidents()] == [State.OPEN]
    assert store.incidents()[0].muted is None


def test_a_body_is_json_and_says_so(store: Store, site: Site) -> None:
    def sent(body: str, kind: str) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {WRITER}"} | ({"Content-Type": kind} if kind else {})
        answer = site.ask("/api/v1/deployments", "POST", headers=headers, body=body)
        return answer.status, refusal(answer)

    told = "send the body as JSON, with Content-Type: application/json"
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert sent('{"version": "v1"}', kind) == (415, told)
    assert sent("", "application/json") == (422, "a JSON body is required, {} at the least")
    assert sent("{", "application/json") == (422, "the body is no JSON")
    assert store.deployments() == []


def test_what_people_do_is_logged_with_who_and_from_where(store: Store, site: Site) -> None:
    discovered(store, RELATION.format(1))
    incident = store.record(failed(RELATION.format(1))).incidents[0].id
    with capture_logs() as logs:
        post(site, "deployments", {"version": "v1"})
        post(site, "runs", {"target": "games"})
        post(site, f"incidents/{incident}/acknowledge", {"who": "anna", "note": "row 4711 is mine"})
        post(site, f"incidents/{incident}/mute", {"for": "1h"})
        post(site, f"incidents/{incident}/unmute")
    told = [line for line in logs if line.get("caller") == "ci"]
    assert [line["event"] for line in told] == [
        "deployment marked",
        "run asked for",
        "incident acknowledged",
        "incident muted",
        "incident unmuted",
    ]
    assert {line["address"] for line in told} == {"127.0.0.1"}
    assert told[2]["by"] == "anna (by ci)"
    assert "4711" not in str(told), "a note may repeat row values"


def test_an_unknown_target_is_named_with_those_that_there_are(site: Site) -> None:
    answer = post(site, "deployments", {"version": "v1", "target": "shop"})
    assert (answer.status, refusal(answer)) == (404, "there is no target shop, only games")
    answer = post(site, "runs", {"target": "games", "check": "nothing"})
    assert (answer.status, refusal(answer)) == (404, "there is no check nothing on target games")


@pytest.mark.parametrize(
    "path",
    [
        "runs?limit=0",
        "runs?limit=x",
        "runs?offset=-1",
        "incidents?state=red",
        "incidents?standing=open",
        "targets?target=games",
        "coverage?check=orphan_rows",
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(site: Site, path: str) -> None:
    answer = site.ask(f"/api/v1/{path}")
    assert answer.status == 422
    refusal(answer)


def test_what_is_not_there_is_said_in_json(site: Site) -> None:
    assert refusal(site.ask("/api/v1/nothing")) == "Not Found"
    assert site.ask("/api/v1/incidents/nothing").status == 404
    assert refusal(site.ask("/api/v1/runs", "DELETE", headers={"Authorization": f"Bearer {WRITER}"}))


def test_a_store_that_does_not_answer_is_503_with_the_reason(
    store: Store, site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "state.db").unlink()
    answer = post(site, "deployments", {"version": "v1"})
    assert answer.status == 503
    assert "state store" in refusal(answer)


def test_the_document_describes_every_route_and_who_may_use_it(site: Site) -> None:
    document = get(site, "openapi.json")
    Draft202012Validator({"type": "object", "required": ["openapi", "paths", "components"]}).validate(
        document
    )
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            assert described.get("description"), (path, method)
            assert bool(described.get("security")) == (method == "post"), (path, method)
            refusals = {"401", "404", "422", "503"} | ({"403", "409", "415"} if method == "post" else set())
            assert refusals <= described["responses"].keys(), (path, method)
            for status in refusals:
                content = described["responses"][status]["content"]["application/json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Error"}
    assert set(document["paths"]) == {
        "/acceptances",
        "/proposals",
        "/proposals/{proposal}/adopt",
        "/proposals/{proposal}/reject",
        "/targets",
        "/checks",
        "/underway",
        "/coverage",
        "/subjects",
        "/config",
        "/incidents",
        "/incidents/{incident}",
        "/incidents/{incident}/acknowledge",
        "/incidents/{incident}/mute",
        "/incidents/{incident}/unmute",
        "/runs",
        "/deployments",
    }


def test_runs_that_go_on_are_shown_with_how_far_they_are(site: Site) -> None:
    assert get(site, "underway") == []
    site.control.going_on = [
        Underway("games", "orphan_rows", "public.a(id) -> public.b(id)", NOW, 42.0, 0.25),
        Underway("games", "tables", "public.a", NOW, 0.5, None, subjects=40),
    ]
    first, second = get(site, "underway")
    assert first == {
        "target": "games",
        "check": "orphan_rows",
        "subject": "public.a(id) -> public.b(id)",
        "started_at": "2031-05-06T03:00:00Z",
        "seconds": 42.0,
        "done": 0.25,
        "subjects": 1,
    }
    assert (second["done"], second["subjects"]) == (None, 40)


def test_a_reload_needs_the_scope_write_and_tells_what_is_wrong(site: Site) -> None:
    assert site.ask("/-/reload", "POST").status == 401
    headers = {"Authorization": f"Bearer {WRITER}", "Content-Length": "0"}
    answer = site.ask("/-/reload", "POST", headers=headers)
    assert (answer.status, answer.text) == (200, "configuration taken into force\n")
    site.control.broken = "unknown key"
    answer = site.ask("/-/reload", "POST", headers=headers)
    assert answer.status == 500
    assert answer.text == "the last good configuration stays in force\npgvigil.yaml:3: unknown key\n"


def test_without_anybody_to_authenticate_nothing_can_be_changed(
    store: Store, serve: Callable[..., Site]
) -> None:
    site = serve(store)
    answer = post(site, "deployments", {"version": "v1"}, WRITER)
    assert answer.status == 403
    assert "web.tokens" in refusal(answer)
    assert site.ask("/-/reload", "POST").status == 403
    assert store.deployments() == []


@pytest.mark.parametrize(
    "path", ["coverage", "subjects", "proposals", "acceptances", "incidents", "runs", "deployments"]
)
def test_a_list_is_not_empty_because_its_target_is_misspelt(store: Store, site: Site, path: str) -> None:
    answer = site.ask(f"/api/v1/{path}?target=gmaes")
    assert (answer.status, refusal(answer)) == (404, "there is no target gmaes, only games")
    assert get(site, f"{path}?target=games") == []


def test_a_target_that_is_watched_no_longer_has_a_history(store: Store, site: Site) -> None:
    ended(store)
    store.retire({("games", "orphan_rows")}, NOW)
    assert get(site, "incidents?target=old")
    assert site.ask("/api/v1/subjects?target=old").status == 404
