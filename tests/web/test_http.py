"""Every address over HTTP: status, headers, hostile contents, and answers while the store is held up."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from html import escape, unescape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from structlog.testing import capture_logs

from pgvigil.check import Outcome
from pgvigil.store import Filter, Store
from pgvigil.underway import Underway
from pgvigil.watch import WHOLE_CHECK
from pgvigil.web.access import Caller, Rules
from pgvigil.web.security import Security
from tests.web.world import (
    DRIFT,
    HOSTILE,
    NOW,
    PAIR,
    RELATION,
    crowded,
    discovered,
    ended,
    failed,
    finding,
    run,
    sound,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pgvigil.check import JsonValue
    from tests.web.conftest import Site

PAGES = (
    "/",
    "/incidents",
    "/incidents?state=resolved",
    "/targets/games",
    "/metrics",
    "/-/healthy",
    "/-/ready",
    "/static/console.css",
)
ENDINGS = ("healed", "vanished", "unconfirmed")
LOCKING = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], isolation_level=None) as connection:
    connection.execute("BEGIN EXCLUSIVE")
    print("locked", flush=True)
    sys.stdin.readline()
    connection.execute("ROLLBACK")
"""


def lines_of_sample(text: str) -> list[list[str]]:
    """Return what stands in the cells of an incident's sample, line by line."""
    (table,) = re.findall('<table class="sample">.*?</table>', text, re.DOTALL)
    return [
        [unescape(re.sub("<.*?>", "", cell)) for cell in re.findall("<t[hd].*?>(.*?)</t[hd]>", line)]
        for line in re.findall("<tr>(.*?)</tr>", table, re.DOTALL)
    ]


def words_on_checks(site: Site) -> dict[str, str]:
    """Return what the console says of each check instead of its oldest result."""
    rows = re.findall('data-coverage .*?data-check="(.*?)">(.*?)</tr>', site.ask("/").text, re.DOTALL)
    cells = {check: re.findall("<td>(.*?)</td>", row, re.DOTALL)[0] for check, row in rows}
    return {check: re.sub("<.*?>", "", cell).strip() for check, cell in cells.items()}


def test_head_says_what_get_says_without_the_body(site: Site) -> None:
    sound(site.store)
    for path in PAGES:
        got, headed = site.ask(path), site.ask(path, "HEAD")
        assert (got.status, headed.status) == (200, 200), path
        assert (bool(got.body), headed.body) == (True, b""), path
        for name in ("content-type", "content-length"):
            assert got.headers[name] == headed.headers[name], path


def test_every_answer_carries_the_headers_that_browsers_defend_with(site: Site) -> None:
    sound(site.store)
    for path in (*PAGES, "/nothing", "/incidents/nothing", "/incidents?offset=x"):
        headers = site.ask(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["cache-control"] == "no-store", path


def test_what_there_is_no_page_for_is_said_in_a_short_one(site: Site) -> None:
    sound(site.store)
    expected = {
        "/nothing": 404,
        "/incidents/nothing": 404,
        "/targets/nothing": 404,
        "/targets/": 404,
        "/static/nothing": 404,
        "/static/..%2fapp.py": 404,
        "/incidents?offset=-1": 400,
        "/incidents?state=resolved&offset=x": 400,
        "/incidents?state=open": 400,
        "/targets/games?offset=99999999999999999999": 400,
        "/targets/games?state=green": 400,
    }
    answers = {path: site.ask(path) for path in expected}
    assert {path: answer.status for path, answer in answers.items()} == expected
    for answer in answers.values():
        assert answer.headers["content-type"].startswith("text/html")
        assert "Traceback" not in answer.text


def test_pages_are_only_for_looking_whoever_asks(store: Store, serve: Callable[..., Site]) -> None:
    token = "w" * 32
    site = serve(store, Security(Rules(tokens={token.encode(): Caller("ci", "write")})))
    for path in (*PAGES, "/incidents/1", "/runbooks", "/runbooks/PgvigilDown"):
        for method in ("POST", "PUT", "DELETE"):
            assert site.ask(path, method).status == 401, (method, path)
            answer = site.ask(path, method, headers={"Authorization": f"Bearer {token}"})
            assert answer.status == 405, (method, path)


def test_metrics_are_the_exposition_as_it_is(site: Site) -> None:
    crowded(site.store)
    answer = site.ask("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'pgvigil_target_up{target="games"} 1.0\n' in answer.text
    assert 'pgvigil_target_up{target="kasse-ü"} 0.0\n' in answer.text


def test_readiness_gives_its_reason_and_health_does_not_depend_on_it(site: Site) -> None:
    for ready, status, text in (("", 200, "ready\n"), ("starting", 503, "starting\n")):
        site.control.not_ready = ready
        answer = site.ask("/-/ready")
        assert (answer.status, answer.text) == (status, text)
        assert site.ask("/-/healthy").status == 200


def test_the_console_says_why_pgvigil_is_not_ready(site: Site) -> None:
    site.control.not_ready = "starting"
    assert "pgvigil itself is not ready: starting" in site.ask("/").text


def test_a_fresh_start_claims_nothing(site: Site) -> None:
    text = site.ask("/").text
    assert "Not examined yet" in text
    assert "clean" not in text.lower()


def test_names_and_values_of_others_are_only_text(site: Site) -> None:
    crowded(site.store)
    (incident,) = site.store.incidents(Filter(subject=HOSTILE))
    for path in ("/", "/incidents", f"/incidents/{incident.id}", "/targets/games"):
        answer = site.ask(path)
        assert answer.status == 200
        assert escape(HOSTILE, quote=False).split('"')[0] in answer.text
        assert HOSTILE[:9] not in answer.text.replace('<script src="/static/refresh.js" defer></script>', "")


def test_a_title_that_no_encoding_can_carry_costs_no_page(site: Site) -> None:
    discovered(site.store, "a")
    title = "odd \udcff \u202e \0 title"
    site.store.record(run("a", Outcome.FAIL, finding(title, sample=({"k\udcff": "\udcff"},))))
    (incident,) = site.store.view().incidents
    for path in ("/", f"/incidents/{incident}", "/targets/games", "/metrics"):
        assert site.ask(path).status == 200


def test_what_a_reader_asks_for_is_not_echoed(site: Site) -> None:
    sound(site.store)
    for path in (
        "/<script>",
        "/targets/<script>",
        "/targets/games?check=<script>",
        "/incidents?offset=<script>",
    ):
        assert "<script>" not in site.ask(path.replace("<", "%3c").replace(">", "%3e")).text


def test_a_target_that_is_down_says_so_once_and_what_to_do_and_shows_faults_first(site: Site) -> None:
    crowded(site.store)
    error = "connection to server failed: Connection refused"
    for number, check in enumerate(("foreign_keys", "table_drift")):
        site.store.sync_subjects("kasse-ü", check, ["a", WHOLE_CHECK], NOW, 300)
        site.store.record(
            run(WHOLE_CHECK, Outcome.ERROR, check=check, target="kasse-ü", minutes=number, error=error)
        )
        site.store.record(run("a", Outcome.PASS, check=check, target="kasse-ü", minutes=60))
    text = site.ask("/targets/kasse-%C3%BC").text
    assert text.count(error) == 1
    [trouble] = re.findall(r"<p class=\"note\" data-trouble>.*?</p>", text)
    assert error in trouble
    assert 'href="/runbooks/PgvigilTargetDown"' in trouble
    assert site.ask("/runbooks/PgvigilTargetDown").status == 200
    states = re.findall(r'data-subject=.*? data-state="(.*?)"', text)
    assert states == sorted(states, key=["failed", "unknown", "passed"].index)
    assert len(set(states)) == 3


def test_an_incident_shows_all_that_is_known_of_it(site: Site) -> None:
    crowded(site.store)
    down = site.store.incidents(Filter(target="kasse-ü"))[0]
    text = site.ask(f"/incidents/{down.id}").text
    for words in (
        "kasse.buchung(konto) -&gt; kasse.konto(id)",
        "Else delete the orphans:</bdi></p>",
        "<code>BEGIN;\nDELETE …;\nCOMMIT;</code>",
        "WHERE game_id &lt; 0\nORDER BY 1",
        "4711",
        "NULL",
        "changed_by_column.title",
        "Not examined since",
        "Connection refused",
        "hash anti-join",
        'data-event="opened"',
        'data-event="could_not_examine"',
    ):
        assert words in text


def test_a_resolved_incident_can_still_be_read(site: Site) -> None:
    discovered(site.store, "a")
    site.store.record(failed("a"))
    (incident,) = site.store.incidents()
    site.store.record(run("a", Outcome.PASS, minutes=1))
    answer = site.ask(f"/incidents/{incident.id}")
    assert (answer.status, 'data-state="resolved"' in answer.text) == (200, True)
    assert incident.id not in site.ask("/").text


def test_resolved_incidents_are_listed_the_last_resolved_first_with_how_they_ended(site: Site) -> None:
    crowded(site.store)
    ended(site.store)
    text = site.ask("/incidents?state=resolved").text
    shown = re.findall('data-incident="(.*?)".*? data-resolution="(.*?)"', text)
    names = {incident.id: incident.subject for incident in site.store.incidents(Filter(target="old"))}
    assert [(names[key], how) for key, how in shown] == [(how, how) for how in ENDINGS]
    # What vanished may be as broken as ever.
    assert "which says nothing about the fault" in text
    for path in ("/", "/incidents"):
        other = site.ask(path).text
        assert 'href="/incidents?state=resolved"' in other
        assert not any(name in other for name in names)


def test_resolved_incidents_are_shown_a_page_at_a_time(site: Site) -> None:
    assert "No resolved incident is kept." in site.ask("/incidents?state=resolved").text
    names = [f"s.t{number:03}" for number in range(130)]
    discovered(site.store, *names)
    for name in names:
        site.store.record(failed(name))
    site.store.sync_subjects("games", "orphan_rows", [], NOW, 300)
    first, second = (site.ask(f"/incidents?state=resolved&offset={offset}").text for offset in (0, 100))
    assert [page.count("data-incident=") for page in (first, second)] == [100, 30]
    assert "?state=resolved&amp;offset=100" in first
    assert 'rel="next"' not in second


def test_each_value_that_differs_has_its_line_with_both_sides(site: Site) -> None:
    discovered(site.store, PAIR, check="table_drift")
    site.store.record(run(PAIR, Outcome.FAIL, finding(sample=DRIFT), check="table_drift"))
    (incident,) = site.store.view().incidents
    text = site.ask(f"/incidents/{incident}").text
    assert lines_of_sample(text) == [
        ["igdb_id", "drift", "differs in", "left", "right"],
        ["1017", "changed", "release_title", "Tetris", "Tetris "],
        ["quality_score", "7.50", "NULL"],
        ["summary", "empty text", "falling blocks " * 10],
        ["1018", "left_only", ""],
        ["NULL", "right_only", ""],
        ["1019", "changed", "x" * 63, "y" * 200, "z"],
    ]
    assert "&#34;left&#34;" not in text


def test_values_that_only_look_like_differences_are_shown_as_they_are(site: Site) -> None:
    discovered(site.store, "a")
    sample: tuple[Mapping[str, JsonValue], ...] = (
        {"differing": "NULL", "left": None},
        {"differing": {"title": {"left": 1}}, "left": ""},
    )
    site.store.record(run("a", Outcome.FAIL, finding(sample=sample)))
    (incident,) = site.store.view().incidents
    assert lines_of_sample(site.ask(f"/incidents/{incident}").text) == [
        ["differing", "left"],
        ["NULL", "NULL"],
        ['{"title": {"left": 1}}', "empty text"],
    ]
    assert site.ask(f"/incidents/{incident}").text.count('<span class="null">NULL</span>') == 1


def test_counts_have_commas_and_row_values_have_none(site: Site) -> None:
    discovered(site.store, "a")
    many = replace(finding(count=1788, sample=({"id": 471100},)), details={"left_only": 762968})
    site.store.record(run("a", Outcome.FAIL, many))
    (incident,) = site.store.view().incidents
    assert ">1,788<" in site.ask("/").text
    text = site.ask(f"/incidents/{incident}").text
    assert all(words in text for words in (">1,788<", "(1,788)", "of 1,788<", ">762,968<", ">471100<"))


def test_a_detail_that_is_empty_says_so(site: Site) -> None:
    discovered(site.store, "a")
    site.store.record(run("a", Outcome.FAIL, replace(finding(), details={"both": [], "left": ["a", "b"]})))
    (incident,) = site.store.view().incidents
    details = re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", site.ask(f"/incidents/{incident}").text)[-2:]
    plain = [tuple(re.sub("<.*?>", "", part) for part in detail) for detail in details]
    assert plain == [("both", "none"), ("left", "a, b")]


def test_the_subject_that_stands_for_all_is_shown_as_such_with_its_error(site: Site) -> None:
    discovered(site.store, WHOLE_CHECK)
    site.store.record(run(WHOLE_CHECK, Outcome.ERROR, error="no such schema"))
    text = site.ask("/targets/games").text
    assert "all subjects of the check" in text
    assert ">*<" not in text
    for page in (text, site.ask("/").text):
        assert "subjects could not be found" in page
        assert "no such schema" in page


def test_nothing_to_examine_is_not_the_same_as_not_examined_yet(site: Site) -> None:
    site.control.due = {"games/orphan_rows": NOW, "games/table_drift": NOW}
    discovered(site.store, check="orphan_rows")
    assert words_on_checks(site) == {"orphan_rows": "nothing to examine", "table_drift": "not examined yet"}
    assert "Not examined yet: " in site.ask("/targets/games").text
    assert "Not examined yet: " in site.ask("/targets/games?check=table_drift").text
    assert "Nothing to examine: " in site.ask("/targets/games?check=orphan_rows").text
    discovered(site.store, check="table_drift")
    assert set(words_on_checks(site).values()) == {"nothing to examine"}
    for path in ("/", "/targets/games"):
        assert "ot examined yet" not in site.ask(path).text
        assert "Nothing to examine" in site.ask(path).text


def test_a_target_may_have_any_name(site: Site) -> None:
    name = "a/b c?d#é"
    discovered(site.store, "t", target=name)
    assert 'href="/targets/a/b%20c%3Fd%23%C3%A9' in site.ask("/").text
    assert site.ask("/targets/a/b%20c%3Fd%23%C3%A9").status == 200


def test_long_runs_that_go_on_are_shown_with_how_far_they_are(site: Site) -> None:
    discovered(site.store, "public.big")
    assert "Under way" not in site.ask("/targets/games").text
    run_of = partial(Underway, "games", "orphan_rows", started_at=NOW)
    site.control.going_on = [
        run_of("public.big", seconds=60.0, done=0.254),
        run_of("public.brief", seconds=1.0, done=0.5),
        Underway("other", "orphan_rows", "public.elsewhere", NOW, 60.0, None),
    ]
    page = site.ask("/targets/games").text
    assert "Under way" in page
    assert "25 %" in page
    assert "public.brief" not in page
    assert "public.elsewhere" not in page


def test_subjects_are_listed_by_state_and_a_page_at_a_time(site: Site) -> None:
    discovered(site.store, *(f"s.t{number:03}" for number in range(250)))
    for number in range(120):
        site.store.record(run(f"s.t{number:03}", Outcome.PASS))
    shown = [
        site.ask(f"/targets/games?state={state}&offset={offset}").text.count("data-subject=")
        for state, offset in (("passed", 0), ("passed", 100), ("unknown", 100), ("failed", 0))
    ]
    assert shown == [100, 20, 30, 0]
    assert "state=passed&amp;offset=100" in site.ask("/targets/games?state=passed").text


def test_all_incidents_can_be_reached(site: Site) -> None:
    names = [f"s.t{number:03}" for number in range(130)]
    discovered(site.store, *names)
    for name in names:
        site.store.record(failed(name))
    counts = [
        site.ask(path).text.count("data-incident=") for path in ("/", "/incidents", "/incidents?offset=100")
    ]
    assert counts == [100, 100, 30]
    assert 'data-part="critical" data-value="130"' in site.ask("/").text


def test_a_crash_is_answered_in_one_line_and_the_next_request_is_served(site: Site) -> None:
    sound(site.store)
    site.control.due = {"games/orphan_rows": "not a moment"}  # type: ignore[dict-item]
    with capture_logs() as logs:
        answer = site.ask("/")
    assert [(entry["event"], entry["path"], entry["exc_info"]) for entry in logs] == [
        ("request crashed", "/", True)
    ]
    assert (answer.status, answer.text) == (500, "pgvigil could not make this page; its log says why\n")
    assert answer.headers["x-content-type-options"] == "nosniff"
    site.control.due = {}
    assert site.ask("/").status == 200


def test_a_store_that_fails_is_named_and_the_state_in_memory_still_shown(site: Site, tmp_path: Path) -> None:
    crowded(site.store)
    known = next(iter(site.store.view().incidents))
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute("DROP TABLE events")
    connection.close()
    answer = site.ask(f"/incidents/{known}")
    assert answer.status == 503
    assert "no such table: events" in answer.text
    assert "Traceback" not in answer.text
    assert known in site.ask("/").text
    assert site.ask("/metrics").status == 200


def test_pages_are_served_while_another_process_holds_up_a_write(site: Site, tmp_path: Path) -> None:
    sound(site.store)
    command = [sys.executable, "-c", LOCKING, str(tmp_path / "state.db")]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        writing = pool.submit(site.store.record, failed(RELATION.format(0)))
        answers = [site.ask(path) for path in (*PAGES, "/")]
        waited = not writing.done()
        holder.communicate("go on\n")
        writing.result()
    assert waited
    assert [answer.status for answer in answers] == [200] * len(answers)
    # What is not committed is not shown; what is, at once.
    assert "All clean" in answers[-1].text
    assert 'data-part="critical" data-value="1"' in site.ask("/").text


def test_readers_that_wait_for_the_store_hold_up_no_scrape(serve: Callable[[Store], Site]) -> None:
    with Store.open("sqlite://") as store, ThreadPoolExecutor(90) as pool:
        crowded(store)
        site = serve(store)
        with store._database.writing():  # a store in memory has one connection: everybody else waits
            paths = ("/targets/games", "/incidents?state=resolved", "/api/v1/runs") * 30
            waiting = [pool.submit(site.ask, path) for path in paths]
            answers = [site.ask(path) for path in ("/metrics", "/", "/incidents", "/-/healthy", "/-/ready")]
            held = not any(each.done() for each in waiting)
        assert held
        assert [answer.status for answer in answers] == [200] * 5
        assert {each.result().status for each in waiting} == {200}


def test_the_link_of_an_alert_leads_to_the_incidents_of_its_subject(site: Site) -> None:
    crowded(site.store)
    path = (
        f"/incidents?{urlencode({'target': 'games', 'check': 'orphan_rows', 'subject': RELATION.format(2)})}"
    )
    text = site.ask(path).text
    assert len(set(re.findall(r'href="/incidents/([0-9a-f]+)"', text))) == 1
    assert escape(RELATION.format(2)) in text
    assert "Only of target" in text
    nobody = site.ask("/incidents?target=nobody").text
    assert 'data-value="0"' in nobody
    assert "/incidents?state=resolved&amp;target=nobody" in nobody
    assert site.ask(f"/incidents?subject={quote(HOSTILE)}").status == 200


def test_runbooks_are_read_where_the_fault_is_shown(site: Site) -> None:
    names = re.findall(r'href="(/runbooks/Pgvigil\w+)"', site.ask("/runbooks").text)
    assert "/runbooks/PgvigilOrphanRows" in names
    assert "changes: logical keeps WAL" in site.ask("/runbooks").text  # a colon within code ends no sentence
    for name in names:
        text = site.ask(name).text
        assert "<h2>Fix</h2>" in text
        for link in re.findall(r"<article.*</article>", text, re.DOTALL):
            for target in re.findall(r'href="(?!https?://)([^"#]+)', link):
                assert site.ask(target).status == 200, (name, target)
    assert site.ask("/runbooks/PgvigilNothing").status == 404
    assert site.ask("/runbooks/..%2F..%2FREADME").status == 404


def test_resolved_incidents_are_narrowed_too(site: Site) -> None:
    ended(site.store)
    text = site.ask("/incidents?state=resolved&target=old&subject=healed").text
    assert re.findall(r'data-resolution="(\w+)"', text) == ["healed"]
    assert "Only of target" in text


def test_who_may_not_write_is_told_how_to(site: Site) -> None:
    crowded(site.store)
    text = site.ask(f"/incidents/{site.store.incidents()[0].id}").text
    assert "log in as a user of the web configuration" in text
    assert "<form" not in text
