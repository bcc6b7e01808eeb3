"""What was not written to is not looked at again, and whatever was written is looked at."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvigil.changegate import ChangeGate
from pgvigil.check import Discovery, Outcome, Params, Severity, Subject
from pgvigil.position import read_position
from pgvigil.store import Store
from pgvigil.target import Target
from tests.databases import fresh_database
from tests.engine.gated import Content, GatedWorld, content
from tests.engine.world import dead_dsn, watch_of
from tests.schedule.test_scheduler import HandClock
from tests.servers import private_server, standby_of
from tests.target.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pgvigil.catalog import Catalog, Scope, Table
    from pgvigil.check import Context, Verdict
    from pgvigil.embedded import Server

SPARED = {"public.child": "spared", "public.parent": "spared"}
EXAMINED = {"public.child": "examined", "public.parent": "examined"}

TABLES = """
CREATE TABLE parent (id int PRIMARY KEY, name text);
INSERT INTO parent SELECT n, 'p' || n FROM generate_series(1, 100) AS n;
CREATE TABLE child (id int, at date) PARTITION BY RANGE (id);
CREATE TABLE child_low PARTITION OF child FOR VALUES FROM (MINVALUE) TO (100);
CREATE TABLE child_high PARTITION OF child FOR VALUES FROM (100) TO (MAXVALUE);
INSERT INTO child SELECT n, '2026-01-01' FROM generate_series(1, 200) AS n;
"""


@pytest.fixture
def tables(quiet: str) -> str:
    with psycopg.connect(quiet) as conn:
        conn.execute(TABLES)
    return quiet


@contextmanager
def gated(store: Store, dsn: str, *arguments: object, **settings: object) -> Iterator[GatedWorld]:
    with closing(GatedWorld(store, dsn, *arguments, **settings)) as world:  # type: ignore[arg-type]
        yield world


@pytest.fixture
def settled(store: Store, tables: str) -> Iterator[GatedWorld]:
    """A world whose ticks find nothing to do."""
    with gated(store, tables) as world:
        settle(world)
        yield world


def settle(world: GatedWorld, ticks: int = 6) -> None:
    """Tick until nothing is left to do: the first reader of new rows may itself write to their pages."""
    for _ in range(ticks):
        if "examined" not in world.ticked().values():
            return
    raise AssertionError(f"something is examined again and again, {ticks} times")


@pytest.mark.every_pg
def test_on_an_idle_database_the_second_tick_looks_at_nothing(store: Store, tables: str) -> None:
    with psycopg.connect(tables, autocommit=True) as conn:
        # What the first readers would write, were they not pgvigil: hints, and a tidied page.
        conn.execute("VACUUM")
    with gated(store, tables) as world:
        assert world.ticked() == EXAMINED
        before = world.store.view()
        assert world.ticked() == SPARED
        after = world.store.view()
        assert len(store.runs()) == 2
        for key, status in after.subjects.items():
            was = before.subjects[key]
            assert status.completed_at > was.completed_at  # type: ignore[operator]
            moments = {"started_at": None, "finished_at": None, "completed_at": None}
            assert replace(status, **moments) == replace(was, **moments)  # type: ignore[arg-type]
        assert store.last_swept("main", "content") == after.checks["main", "content"].swept_at


def test_what_the_first_look_itself_writes_is_looked_at_once_more(store: Store, tables: str) -> None:
    """Rows that nobody has read yet, and checksums or not: the reading settles after a few ticks."""
    with psycopg.connect(tables, autocommit=True) as conn:
        conn.execute("UPDATE parent SET name = name || '!'; CHECKPOINT")
    with gated(store, tables) as world:
        settle(world, ticks=4)


WRITES = {
    "insert": "INSERT INTO parent VALUES (101, 'new')",
    "update": "UPDATE parent SET name = 'other' WHERE id = 7",
    "delete": "DELETE FROM parent WHERE id = 7",
    "truncate": "TRUNCATE parent",
    "copy freeze": "BEGIN; TRUNCATE parent; INSERT INTO parent VALUES (1, 'only'); COMMIT",
    "rewrite": "ALTER TABLE parent ALTER id TYPE bigint",
    "add column": "ALTER TABLE parent ADD extra int DEFAULT 7",
    "drop column": "ALTER TABLE parent DROP name",
    "detach": "ALTER TABLE child DETACH PARTITION child_high",
    "attach": """CREATE TABLE more (id int, at date); INSERT INTO more VALUES (-5, NULL);
                 ALTER TABLE child DETACH PARTITION child_low;
                 ALTER TABLE child ATTACH PARTITION more DEFAULT""",
    "drop partition": "DROP TABLE child_high",
    "subtransaction": """BEGIN; SAVEPOINT a; INSERT INTO parent VALUES (101, 'lost'); ROLLBACK TO a;
                         SAVEPOINT b; INSERT INTO parent VALUES (102, 'kept'); RELEASE b; COMMIT""",
    "async commit": "SET synchronous_commit = off; INSERT INTO parent VALUES (101, 'late')",
    "replica role": "SET session_replication_role = replica; DELETE FROM parent WHERE id = 7",
    "reset counters": "INSERT INTO parent VALUES (101, 'x'); SELECT pg_stat_reset()",
    "uncounted": "SET track_counts = off; INSERT INTO parent VALUES (101, 'x')",
    "swapped names": """ALTER TABLE parent RENAME TO old; CREATE TABLE parent (id int);
                        INSERT INTO parent VALUES (-1); DROP TABLE old""",
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_whatever_is_written_is_looked_at(settled: GatedWorld, tables: str, write: str) -> None:
    with psycopg.connect(tables, autocommit=True) as conn:
        conn.execute(write)
        assert set(settled.ticked().values()) == {"examined"}
        assert settled.held() == {name: content(conn, name) for name in settled.held()}


def test_a_transaction_that_went_on_beside_a_tick_is_looked_at_when_it_commits(
    settled: GatedWorld, tables: str
) -> None:
    with psycopg.connect(tables) as conn:
        conn.execute("INSERT INTO parent VALUES (-1, 'late')")
        settle(settled)
        conn.commit()
        assert settled.ticked() == EXAMINED
        assert settled.held()["public.parent"]["rows"] == 101


def test_a_prepared_transaction_is_looked_at_when_it_commits(settled: GatedWorld, tables: str) -> None:
    with psycopg.connect(tables, autocommit=True) as conn:
        conn.execute("BEGIN; INSERT INTO parent VALUES (-1, 'late'); PREPARE TRANSACTION 'one'")
        settle(settled)
        conn.execute("COMMIT PREPARED 'one'")
        assert settled.ticked() == EXAMINED
        assert settled.held()["public.parent"]["rows"] == 101


def test_a_commit_that_is_written_but_not_yet_seen_by_anybody(store: Store, pg_version: int) -> None:
    """It waits for a standby: its record is in the WAL, and no snapshot sees it before the wait is over."""
    settings = {"synchronous_standby_names": "nobody", "autovacuum": "off", "checkpoint_timeout": "1d"}
    with (
        private_server(pg_version) as server,
        psycopg.connect(server.dsn(), autocommit=True) as conn,
    ):
        conn.execute("SET synchronous_commit = local")
        conn.execute(TABLES)
        for name, value in settings.items():
            conn.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        conn.execute("SELECT pg_reload_conf()")
        waiting = psycopg.connect(server.dsn(), autocommit=True)
        waiting.execute("SET synchronous_commit = on")
        pid = waiting.info.backend_pid
        waiting.pgconn.send_query(b"INSERT INTO parent VALUES (-1, 'late')")
        while not conn.execute(
            "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'SyncRep'", [pid]
        ).fetchone():
            time.sleep(0.02)
        with gated(store, server.dsn()) as world:
            settle(world)
            assert world.held()["public.parent"]["rows"] == 100
            position = read_position(world.watches[0].target)
            assert position is not None
            lsn = conn.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
            conn.execute("SELECT pg_cancel_backend(%s)", [pid])
            while content(conn, "public.parent")["rows"] == 100:
                time.sleep(0.02)
            assert conn.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone() == lsn
            assert world.ticked() == EXAMINED
            assert world.held()["public.parent"]["rows"] == 101
        waiting.close()


@pytest.mark.parametrize("synchronous_commit", ["on", "off"])
def test_after_a_crash_everything_is_looked_at(
    store: Store, pg_version: int, synchronous_commit: str
) -> None:
    with private_server(pg_version) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            conn.execute(TABLES)
        with gated(store, server.dsn()) as world:
            settle(world)
            with psycopg.connect(server.dsn(), autocommit=True) as conn:
                conn.execute(f"SET synchronous_commit = {synchronous_commit}")
                conn.execute("INSERT INTO parent VALUES (-1, 'late')")
                world.ticked()
            server.restart("immediate")
            assert world.ticked() == EXAMINED
            with psycopg.connect(server.dsn(), autocommit=True) as conn:
                assert world.held()["public.parent"] == content(conn, "public.parent")


def test_after_the_crash_of_a_session_everything_is_looked_at(store: Store, pg_version: int) -> None:
    """The server starts anew by itself, and its start time stays."""
    with private_server(pg_version) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            conn.execute(TABLES)
            conn.execute("ALTER SYSTEM SET restart_after_crash = on")
            conn.execute("SELECT pg_reload_conf()")
        with gated(store, server.dsn()) as world:
            settle(world)
            before = read_position(world.watches[0].target)
            world.watches[0].target.close_idle()
            victim = psycopg.connect(server.dsn())
            os.kill(victim.info.backend_pid, signal.SIGKILL)
            wait_for(server)
            after = read_position(world.watches[0].target)
            assert before is not None
            assert after is not None
            assert before.server == after.server
            assert world.ticked() == EXAMINED
            victim.close()


def wait_for(server: Server) -> None:
    """Wait until a server that crashed has recovered."""
    deadline = time.monotonic() + 60
    gone = False
    while time.monotonic() < deadline:
        try:
            with psycopg.connect(server.dsn()) as conn:
                conn.execute("SELECT 1")
                if gone:
                    return
        except psycopg.OperationalError:
            gone = True
        time.sleep(0.02)
    raise AssertionError("the server does not come back")


def test_an_unlogged_table_is_always_looked_at(store: Store, tables: str) -> None:
    with psycopg.connect(tables) as conn:
        conn.execute("CREATE UNLOGGED TABLE volatile (id int)")
        conn.execute("CREATE TABLE base (id int); CREATE UNLOGGED TABLE heir () INHERITS (base)")
        conn.execute("CREATE TABLE kept (id int)")
    with gated(store, tables) as world:
        for _ in range(4):
            ticked = world.ticked()
        assert {name for name, what in ticked.items() if what == "examined"} == {
            "public.volatile",
            "public.base",
            "public.heir",
        }


class Unbound(Content):
    """Says of nothing that its tables alone decide."""

    def subject(self, table: Table) -> Subject:
        return Subject(str(table), table)


def test_what_depends_on_more_than_tables_is_always_looked_at(store: Store, tables: str) -> None:
    with gated(store, tables, Unbound()) as world:
        for _ in range(3):
            assert world.ticked() == EXAMINED


class OverView(Content):
    """Looks at views, as if they were tables."""

    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery(tuple(self.subject(table) for table in catalog.tables if not table.is_partition))


def test_a_view_is_always_looked_at_whatever_the_check_says(store: Store, tables: str) -> None:
    with psycopg.connect(tables) as conn:
        conn.execute("CREATE VIEW seen AS SELECT 1 AS id; CREATE MATERIALIZED VIEW kept AS SELECT 1 AS id")
    with gated(store, tables, OverView()) as world:
        for _ in range(4):
            ticked = world.ticked()
        assert ticked == SPARED | {"public.seen": "examined", "public.kept": "spared"}


def test_what_was_spared_is_still_spared_after_a_restart_of_pgvigil(tables: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    with Store.open(url) as store, gated(store, tables) as world:
        settle(world)
    with Store.open(url) as store, gated(store, tables) as world:
        assert world.ticked() == SPARED


def test_other_settings_mean_another_look(settled: GatedWorld, store: Store, tables: str) -> None:
    with psycopg.connect(tables, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS other")
        conn.execute("CREATE ROLE other SUPERUSER LOGIN PASSWORD 'x'")
    settle(settled)
    with gated(store, tables, Content(Params(severity={"*": Severity.WARNING}))) as world:
        assert world.ticked() == EXAMINED
        settle(world)
    with gated(store, tables) as world:
        assert world.ticked() == EXAMINED
        settle(world)
    with gated(store, make_conninfo(tables, user="other", password="x")) as world:
        assert world.ticked() == EXAMINED


def test_without_the_gate_every_tick_looks_at_everything(store: Store, tables: str) -> None:
    with gated(store, tables, full_every=None) as world:
        for _ in range(3):
            assert world.ticked() == EXAMINED


def test_who_asks_gets_a_look_and_the_next_tick_is_spared_again(settled: GatedWorld) -> None:
    settled.engine.ask("main", "content")
    assert settled.ticked() == EXAMINED
    assert settled.ticked() == SPARED


def test_once_in_a_while_everything_is_looked_at(store: Store, tables: str) -> None:
    clock = HandClock()
    with gated(store, tables, full_every=3600.0, clock=clock) as world:
        settle(world)
        for _ in range(3):
            clock.pass_(timedelta(minutes=15))
            assert world.ticked() == SPARED
        clock.pass_(timedelta(minutes=15))
        assert world.ticked() == EXAMINED
        assert world.ticked() == SPARED
        clock.set_(timedelta(minutes=-30))
        assert world.ticked() == EXAMINED, "what was seen in the future was seen nobody knows when"


def test_a_suspect_gets_the_run_that_confirms_it_and_an_open_fault_stays_seen(
    store: Store, tables: str
) -> None:
    with psycopg.connect(tables) as conn:
        conn.execute("INSERT INTO parent VALUES (-1, 'bad')")
    clock = HandClock()
    with gated(store, tables, Content(confirm=4), clock=clock) as world:
        for expected in (["suspect"], ["suspect"], ["suspect"], ["open"]):
            clock.pass_(timedelta(minutes=5))
            assert world.ticked()["public.parent"] == "examined"
            assert world.live() == expected
        clock.pass_(timedelta(minutes=5))
        assert world.ticked() == SPARED
        (incident,) = store.incidents()
        assert (incident.state, incident.last_seen, incident.sightings) == ("open", clock.now(), 4)
        assert store.view().incidents[incident.id].last_seen == clock.now()


def test_what_could_not_be_examined_is_tried_again(settled: GatedWorld, store: Store, tables: str) -> None:
    with psycopg.connect(tables) as conn:
        conn.execute("LOCK TABLE parent IN ACCESS EXCLUSIVE MODE")
        settled.engine.ask("main", "content")
        settled.ticked()
        assert settled.states("content") == {"public.child": "passed", "public.parent": "unknown"}
        conn.rollback()
    assert settled.ticked() == SPARED | {"public.parent": "examined"}
    assert settled.states("content") == {"public.child": "passed", "public.parent": "passed"}
    assert settled.ticked() == SPARED


def test_a_target_that_is_down_confirms_nothing(settled: GatedWorld, store: Store, tables: str) -> None:
    settled.close()
    with gated(store, dead_dsn(tables)) as world:
        world.ticked()
        assert not world.up()
        assert set(world.states("content").values()) == {"unknown"}


def test_the_catalog_is_not_read_again_while_nothing_changes(
    settled: GatedWorld, tables: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[None] = []
    target = settled.watches[0].target
    read = target.read_catalog
    monkeypatch.setattr(target, "read_catalog", lambda scope: reads.append(None) or read(scope))  # type: ignore[func-returns-value]
    assert settled.ticked() == SPARED
    assert reads == []
    assert settled.up()
    with psycopg.connect(tables) as conn:
        conn.execute("CREATE TABLE younger (id int)")
    assert settled.ticked() == EXAMINED | {"public.younger": "examined"}
    assert len(reads) == 1


def test_a_new_configuration_of_the_server_means_another_look(
    settled: GatedWorld, quiet_server: Server
) -> None:
    with psycopg.connect(quiet_server.dsn(), autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET work_mem = '5MB'; ")
        conn.execute("SELECT pg_reload_conf()")
        while conn.execute("SHOW work_mem").fetchone() != ("5MB",):
            time.sleep(0.02)
        assert settled.ticked() == EXAMINED
        settle(settled)
        conn.execute("ALTER SYSTEM RESET work_mem")


def test_a_role_without_any_right_on_the_server_is_spared_too(store: Store, tables: str) -> None:
    with psycopg.connect(tables, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS plain")
        conn.execute("CREATE ROLE plain LOGIN PASSWORD 'x'")
        conn.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain")
        for function in ("system", "checkpoint"):
            conn.execute(f"REVOKE EXECUTE ON FUNCTION pg_control_{function}() FROM PUBLIC")
    with gated(store, make_conninfo(tables, user="plain", password="x")) as world:
        settle(world)
    with psycopg.connect(tables, autocommit=True) as conn:
        conn.execute("DROP OWNED BY plain; DROP ROLE plain")


@pytest.mark.parametrize(
    "other",
    [
        "CREATE FUNCTION pg_catalog.aurora_version() RETURNS text LANGUAGE sql AS 'SELECT version()'",
        "REVOKE EXECUTE ON FUNCTION pg_current_wal_insert_lsn() FROM PUBLIC",
    ],
    ids=["storage of its own", "refused"],
)
def test_where_no_position_is_told_every_tick_looks_at_everything(
    store: Store, tables: str, other: str
) -> None:
    with psycopg.connect(tables, autocommit=True) as conn:
        conn.execute("SET allow_system_table_mods = on")
        conn.execute(other)
        conn.execute("DROP ROLE IF EXISTS plain")
        conn.execute("CREATE ROLE plain LOGIN PASSWORD 'x'")
        conn.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain")
    with gated(store, make_conninfo(tables, user="plain", password="x")) as world:
        for _ in range(4):
            assert world.ticked() == EXAMINED
        assert set(world.states("content").values()) == {"passed"}
    with psycopg.connect(tables, autocommit=True) as conn:
        conn.execute("DROP OWNED BY plain; DROP ROLE plain")


def test_a_standby_is_spared_while_it_replays_nothing(store: Store, pg_version: int) -> None:
    with private_server(pg_version) as primary, psycopg.connect(primary.dsn(), autocommit=True) as conn:
        conn.execute(TABLES)
        with standby_of(primary, {}) as standby, gated(store, standby.dsn()) as world:
            settle(world, ticks=10)
            conn.execute("INSERT INTO parent VALUES (-1, 'new')")
            with psycopg.connect(standby.dsn(), autocommit=True) as other:
                while content(other, "public.parent")["rows"] == 100:
                    time.sleep(0.02)
            assert world.ticked() == EXAMINED
            assert world.held()["public.parent"]["rows"] == 101
            settle(world, ticks=10)
            with psycopg.connect(standby.dsn(), autocommit=True) as other:
                other.execute("SELECT pg_promote()")
            assert world.ticked() == EXAMINED


def test_an_idle_server_with_its_usual_clockwork_comes_to_rest(store: Store, pg_version: int) -> None:
    """Records for standbys follow what was written within 15 seconds, and then no more."""
    with private_server(pg_version) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            conn.execute(TABLES)
        with gated(store, server.dsn()) as world:
            deadline = time.monotonic() + 90
            spared = 0
            while spared < 5 and time.monotonic() < deadline:
                spared = spared + 1 if world.ticked() == SPARED else 0
                time.sleep(1)
            assert spared == 5


def test_positions_of_two_moments_are_equal_only_without_a_commit_in_between(quiet: str) -> None:
    with closing(Target("main", quiet)) as target, psycopg.connect(quiet, autocommit=True) as conn:
        first = read_position(target)
        assert first is not None
        assert read_position(target) == first
        conn.execute("CREATE UNLOGGED TABLE volatile (id int)")
        second = read_position(target)
        conn.execute("INSERT INTO volatile VALUES (1)")
        third = read_position(target)
        assert len({first, second, third}) == 3
        assert first.server == third.server  # type: ignore[union-attr]


class InTwoParts(Content):
    """Is broken off at its checkpoint, and goes on from there."""

    def run(self, context: Context, subject: Subject) -> Verdict:
        if not context.resumed:
            context.checkpoint({"half": True}, 0.5)
            raise RuntimeError("broken off")
        return super().run(context, subject)


def test_what_went_on_from_an_earlier_tick_is_looked_at_once_more(
    store: Store, tables: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written between the two halves is in neither of them."""
    monkeypatch.setattr("pgvigil.progress._SAVE_SECONDS", 0.0)
    with psycopg.connect(tables, autocommit=True) as conn:
        conn.execute("VACUUM")
    with gated(store, tables, InTwoParts(Params())) as world:
        runner = world.engine.watches["main"].runner
        runner.limits = replace(runner.limits, chunk_seconds=0.02)
        world.ticked()
        assert {status.outcome for status in store.subjects()} == {Outcome.ERROR}
        world.ticked()
        assert {status.outcome for status in store.subjects()} == {Outcome.PASS}
        assert world.ticked() == EXAMINED


def test_a_scan_goes_on_only_while_its_tables_are_ordered_as_they_were(database: str) -> None:
    watch = replace(watch_of(database, Content()), full_every=86_400.0)
    gate = ChangeGate(watch)

    def definition() -> str:
        sight = gate.look(watch, anew=True)
        (table,) = sight.catalog.tables
        return gate.definition("content", Subject("t", reads=(table,)), sight)

    with closing(watch.target), psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE t (word text PRIMARY KEY)")
        before = definition()
        conn.execute("INSERT INTO t VALUES ('a')")
        assert definition() == before
        conn.execute('ALTER TABLE t ALTER word TYPE text COLLATE "C"')
        assert definition() not in ("", before)


def test_with_several_hosts_every_tick_looks_at_everything(store: Store, tables: str) -> None:
    """A run may see another server than that whose position was read."""
    said = conninfo_to_dict(tables)
    twice = {name: f"{said[name]},{said[name]}" for name in ("host", "port")}
    with psycopg.connect(tables, autocommit=True) as conn:
        conn.execute("VACUUM")
    with gated(store, make_conninfo(tables, **twice)) as world:
        for _ in range(3):
            assert world.ticked() == EXAMINED


class Name:
    """A name that leads to one server or another, as that of a load balancer does: a service of libpq."""

    def __init__(self, path: Path, dsn: str) -> None:
        self.path = path
        self.dsn = make_conninfo(**{**conninfo_to_dict(dsn), "port": None, "service": "balanced"})

    def lead(self, server: Server) -> None:
        self.path.write_text(f"[balanced]\nport={server.port}\n")


class Elsewhere(Content):
    """Something happens, once, after the position and the catalog were read, and before the runs are."""

    turn: Callable[[], None] | None = None

    def discover(self, catalog: Catalog) -> Discovery:
        turn, self.turn = self.turn, None
        if turn is not None:
            turn()
        return super().discover(catalog)


@pytest.fixture
def balanced(
    own_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Name, Server, Server]]:
    """A name that leads to a primary, the primary, and a standby that does not see a fault of it."""
    with standby_of(own_server, {}) as standby, fresh_database(own_server) as dsn:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("CREATE TABLE t AS SELECT 1 AS id")
        there = make_conninfo(dsn, port=standby.port)
        wait_until(lambda: is_there(there, "t"))
        with psycopg.connect(there, autocommit=True) as conn:
            conn.execute("SELECT pg_wal_replay_pause()")
            wait_until(
                lambda: conn.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() == ("paused",)
            )
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("INSERT INTO t VALUES (-1)")
        name = Name(tmp_path / "services", dsn)
        monkeypatch.setenv("PGSERVICEFILE", str(name.path))
        name.lead(own_server)
        yield name, own_server, standby


def is_there(dsn: str, table: str) -> bool:
    with suppress(psycopg.OperationalError), psycopg.connect(dsn) as conn:
        return conn.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone() == (True,)
    return False


@pytest.mark.pg(">= 14")
def test_what_another_server_of_the_same_name_said_stands_for_none(
    store: Store, balanced: tuple[Name, Server, Server]
) -> None:
    name, primary, standby = balanced
    check = Elsewhere()
    with gated(store, name.dsn, check) as world:
        target = world.watches[0].target

        def lead_away() -> None:
            target.close_idle()
            name.lead(standby)

        check.turn = lead_away
        world.ticked()
        assert world.states("content") == {"public.t": "passed"}
        notes = store.notes("main", "content")
        assert not notes["public.t"].position
        name.lead(primary)
        assert world.ticked() == {"public.t": "examined"}
        assert world.states("content") == {"public.t": "failed"}


@pytest.mark.pg(">= 14")
def test_a_catalog_of_another_server_of_the_same_name_spares_nothing(
    balanced: tuple[Name, Server, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _, standby = balanced
    watch = replace(watch_of(name.dsn, Content()), full_every=86_400.0)
    gate = ChangeGate(watch)
    with closing(watch.target):
        read = watch.target.read_catalog

        def read_elsewhere(scope: Scope | None = None) -> Catalog:
            watch.target.close_idle()
            name.lead(standby)
            return read(scope)

        assert gate.look(watch).position is not None
        monkeypatch.setattr(watch.target, "read_catalog", read_elsewhere)
        sight = gate.look(watch, anew=True)
        assert sight.position is None
        assert not gate.key("content", sight)
        assert "two servers" in gate.state().why
