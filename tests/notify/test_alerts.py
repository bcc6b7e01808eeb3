"""What an alert says of an incident."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pgvigil.check import Severity
from pgvigil.incident import Incident, Mark, Resolution, State, acknowledge, mute, vanished
from pgvigil.notify.alerts import (
    ALERTS,
    NOTES,
    OTHER_ALERT,
    Form,
    Moment,
    ended,
    firing,
    labels_of,
    severity_told,
)
from tests.incident.life import Book, at, finding, run

FORM = Form("https://pgvigil.example.org", samples=2, hold=timedelta(hours=4), labels={"team": "data"})
NOW = at(60)
RULES = Path("deploy/prometheus/pgvigil.incidents.rules.yml")


def incident(**finding_values: Any) -> Incident:
    return Book().see(run(replace(finding(rows=1234), **finding_values))).incidents[0]


def alert(one: Incident, form: Form = FORM, now: datetime = NOW, theirs: datetime = NOW) -> dict[str, Any]:
    return firing(one, labels_of(one, form), form, Moment(now, theirs))


def end(one: Incident, now: datetime = NOW, theirs: datetime = NOW) -> dict[str, Any]:
    return ended(one, labels_of(one, FORM), FORM, Moment(now, theirs))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_its_labels_say_which_fault_it_is() -> None:
    assert labels_of(incident(), FORM) == {
        "alertname": "PgvigilOrphanRows",
        "severity": "critical",
        "target": "games",
        "check": "orphan_rows",
        "subject": "public.child(id) -> public.parent(id)",
        "code": "orphans",
        "team": "data",
    }


@pytest.mark.parametrize(
    ("check", "name"),
    [
        ("orphan_rows", "PgvigilOrphanRows"),
        ("foreign_keys", "PgvigilForeignKeyNotProtecting"),
        ("table_drift", "PgvigilDriftAboveBudget"),
        ("tables", "PgvigilCheckFailing"),
        ("a_plugins_own", "PgvigilCheckFailing"),
    ],
)
def test_each_check_has_its_alert(check: str, name: str) -> None:
    assert labels_of(replace(incident(), check=check), FORM)["alertname"] == name


def test_names_and_summaries_are_those_of_the_alerting_rules() -> None:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    rules = {rule["alert"]: rule["annotations"]["summary"] for rule in group["rules"] if "alert" in rule}
    assert dict([*ALERTS.values(), *NOTES.values(), OTHER_ALERT]) == rules


def test_a_note_about_a_key_does_not_say_that_the_key_fails_to_protect() -> None:
    note = replace(incident(severity=Severity.INFO, code="unindexed"), check="foreign_keys")
    said = alert(note)
    assert said["labels"]["alertname"] == "PgvigilForeignKeyNote"
    assert said["annotations"]["summary"] == "A foreign key could be better"
    assert said["annotations"]["runbook_url"] == "https://pgvigil.example.org/runbooks/PgvigilForeignKeyNote"
    # Its end is told under the labels that it had, and speaks of what it was then.
    before = labels_of(replace(incident(severity=Severity.CRITICAL), check="foreign_keys"), FORM)
    over = ended(note, before, FORM, Moment(NOW, NOW))
    assert over["labels"]["alertname"] == "PgvigilForeignKeyNotProtecting"
    assert over["annotations"]["summary"] == "A foreign key does not protect as it should"


def test_it_says_what_was_found_since_when_and_where_to_read_on() -> None:
    one = incident(remedy="Delete them.", evidence_sql="SELECT 1")
    said = alert(one)
    page = f"https://pgvigil.example.org/incidents/{one.id}"
    assert said["annotations"] == {
        "summary": "Child rows refer to parents that do not exist",
        "description": "games: public.child(id) -> public.parent(id): Rows with orphans. Count 1,234, "
        "open since 2026-03-01 12:00:00 UTC, last seen 2026-03-01 12:00:00 UTC.",
        "remedy": "Delete them.",
        "evidence_sql": "SELECT 1",
        "runbook_url": "https://pgvigil.example.org/runbooks/PgvigilOrphanRows",
        "incident_url": page,
    }
    assert said["generatorURL"] == page
    assert moment(said["startsAt"]) == one.opened_at
    assert moment(said["endsAt"]) == NOW + FORM.hold


def test_it_shows_as_many_sample_keys_as_are_configured() -> None:
    one = incident(sample=({"id": 1, "name": "ä"}, {"id": 2, "name": None}, {"id": 3, "name": "x"}))
    assert alert(one)["annotations"]["sample"] == '{"id": 1, "name": "ä"}\n{"id": 2, "name": null}'
    silent = alert(one, replace(FORM, samples=0))
    assert "sample" not in silent["annotations"]
    assert "ä" not in json.dumps(silent, ensure_ascii=False)


def test_whatever_a_check_says_an_alert_stays_short() -> None:
    huge = "x" * 1_000_000
    one = incident(title=huge, remedy=huge, evidence_sql=huge, sample=({"id": huge},) * 50)
    one = replace(one, unexamined_since=NOW, unexamined_reason=huge)
    one = acknowledge(one, Mark(huge, NOW, why=huge)).incidents[0]
    said = alert(one, replace(FORM, samples=50))
    assert len(json.dumps(said)) < 20_000
    assert f"the whole query is on {said['generatorURL']}" in said["annotations"]["evidence_sql"]
    muted = mute(one, Mark(huge, NOW, why=huge)).incidents[0]
    assert len(json.dumps(end(muted))) < 5_000


def test_characters_that_no_receiver_can_take_are_replaced() -> None:
    one = replace(incident(title="a\0b\ud800c", sample=({"id": "\udfff\0"},)), subject="s\0\ud800")
    said = alert(one)
    every = "".join([*said["labels"].values(), *said["annotations"].values()])
    assert every.encode()
    assert "\0" not in every
    assert said["labels"]["subject"] == "s\ufffd?"
    assert "a\ufffdb?c" in said["annotations"]["description"]


def test_an_empty_label_is_left_out() -> None:
    assert "subject" not in labels_of(replace(incident(), subject=""), FORM)


@pytest.mark.parametrize(
    ("state", "acknowledged", "muted", "told"),
    [
        (State.SUSPECT, None, None, False),
        (State.OPEN, None, None, True),
        (State.OPEN, Mark("ada", NOW), None, True),
        (State.OPEN, None, Mark("ada", NOW), False),
        (State.OPEN, None, Mark("ada", NOW, until=NOW), True),
        (State.RESOLVED, None, None, False),
    ],
)
def test_only_what_is_open_and_not_muted_is_firing(
    state: State, acknowledged: Mark | None, muted: Mark | None, told: bool
) -> None:
    one = replace(incident(), state=state, acknowledged=acknowledged, muted=muted)
    assert severity_told(one, one.severity, NOW) == (Severity.CRITICAL if told else None)


def test_the_end_says_when_and_how_it_ended() -> None:
    book = Book()
    book.see(run(finding()))
    book.see(run(minutes=30.5))
    one = book.only()
    said = end(one)
    assert moment(said["startsAt"]) == one.opened_at
    assert moment(said["endsAt"]) == one.resolved_at
    assert said["annotations"]["description"] == (
        "games: public.child(id) -> public.parent(id): Rows with orphans.\n"
        "Over since 2026-03-01 12:30:30 UTC: a completed run no longer saw it."
    )
    assert (
        said["annotations"]["end"] == "Over since 2026-03-01 12:30:30 UTC: a completed run no longer saw it."
    )
    assert said["annotations"].keys() == {"summary", "description", "end", "runbook_url", "incident_url"}


def test_the_end_with_its_subject_does_not_say_that_the_fault_is_gone() -> None:
    (one,) = vanished([incident()], at(5)).incidents
    assert one.resolution is Resolution.VANISHED
    assert "its subject is gone from the catalog" in end(one)["annotations"]["description"]


def test_the_end_by_a_mute_says_by_whom_and_until_when() -> None:
    (one,) = mute(incident(), Mark("ada", at(30), at(90), "a migration")).incidents
    said = end(one)
    assert "Muted by ada until 2026-03-01 13:30:00 UTC: a migration" in said["annotations"]["description"]
    assert moment(said["endsAt"]) == at(30)


@pytest.mark.parametrize("theirs", [at(-600), at(59), NOW, at(600)])
def test_no_clock_makes_an_alert_end_that_goes_on(theirs: datetime) -> None:
    said = alert(incident(), theirs=theirs)
    assert moment(said["endsAt"]) >= max(NOW, theirs) + FORM.hold
    assert moment(said["startsAt"]) <= NOW


@pytest.mark.parametrize("now", [at(-600), at(0), at(60)])
@pytest.mark.parametrize("theirs", [at(-600), at(0), at(60)])
def test_an_end_lies_in_the_past_of_both_clocks_and_not_before_the_beginning(
    now: datetime, theirs: datetime
) -> None:
    book = Book()
    book.see(run(finding()))
    book.see(run(minutes=30))
    said = end(book.only(), now, theirs)
    assert moment(said["startsAt"]) <= moment(said["endsAt"]) <= min(now, theirs, at(30))
