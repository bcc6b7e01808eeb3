"""Rows are read on a standby where that is sound, and what it cannot tell is asked of the primary."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from structlog.testing import capture_logs

from pgvigil.check import Discovery, Params, Subject
from pgvigil.once import check_once
from pgvigil.sensor import Sensor, Signal
from tests.engine.gated import Content, GatedWorld, content
from tests.engine.standby import LOGGED, UNLOGGED, pair, servers
from tests.engine.world import dead_dsn, watch_of
from tests.target.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.catalog import Catalog, Table
    from pgvigil.check import Context, Verdict
    from pgvigil.store import Store
    from tests.engine.standby import Pair

__all__ = ["pair", "servers"]


@pytest.fixture
def open_world(store: Store, pair: Pair) -> Iterator[Callable[..., GatedWorld]]:
    worlds: list[GatedWorld] = []

    def make(check: Content | None = None, **settings: object) -> GatedWorld:
        world = GatedWorld(store, pair.dsn, check)
        pair.reading(world.watches[0], **settings)  # type: ignore[arg-type]
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        world.close()


def told(world: GatedWorld) -> dict[str, str]:
    """Return what the last run of each subject says of its server."""
    return {stored.run.subject: stored.run.explain for stored in reversed(world.store.runs())}


def reads(world: GatedWorld) -> tuple[float, float]:
    """Return how many runs were read on the primary, and on the standby."""
    names = ("primary", "standby")
    primary, standby = (world.counted("pgvigil_target_reads_total", server=name) for name in names)
    return primary, standby


def actual(dsn: str, world: GatedWorld) -> dict[str, dict[str, int]]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        return {name: content(conn, name) for name in world.held()}


@pytest.mark.every_pg
def test_rows_are_read_on_the_standby_and_unlogged_ones_on_the_primary(
    open_world: Callable[..., GatedWorld], pair: Pair
) -> None:
    world = open_world()
    world.tick("content")
    assert world.states("content") == {LOGGED: "passed", UNLOGGED: "passed"}
    assert told(world) == {LOGGED: "read on the standby", UNLOGGED: "read on the primary"}
    assert reads(world) == (1, 1)
    assert world.counted("pgvigil_target_standby_usable") == 1
    assert world.held() == actual(pair.dsn, world)


def test_every_tick_sees_what_was_committed_before_it(
    open_world: Callable[..., GatedWorld], pair: Pair
) -> None:
    world = open_world()
    with psycopg.connect(pair.dsn, autocommit=True) as conn:
        conn.execute("SET synchronous_commit = off")
        for number in range(20):
            conn.execute("INSERT INTO logged VALUES (%s)", [number - 10])
            world.tick("content")
            assert world.held()[LOGGED] == content(conn, LOGGED)
            assert world.states("content")[LOGGED] == "failed"
    assert reads(world) == (20, 20)


def test_an_idle_database_is_spared_as_ever(open_world: Callable[..., GatedWorld]) -> None:
    world = open_world()
    wait_until(lambda: world.ticked()[LOGGED] == "spared")
    assert set(told(world).values()) == {"read on the standby", "read on the primary"}


@pytest.mark.every_pg
def test_one_that_is_behind_is_not_read_and_the_primary_is(
    open_world: Callable[..., GatedWorld], pair: Pair
) -> None:
    world = open_world()
    with psycopg.connect(pair.dsn, autocommit=True) as conn, pair.behind():
        conn.execute("INSERT INTO logged VALUES (-1)")
        world.tick("content")
        assert world.states("content")[LOGGED] == "failed"
        assert told(world)[LOGGED].startswith("read on the primary instead: standby of main: ")
        assert world.counted("pgvigil_target_standby_usable") == 0
        conn.execute("DELETE FROM logged WHERE id = -1")
        world.tick("content")
        assert world.states("content")[LOGGED] == "passed"
        conn.execute("INSERT INTO logged VALUES (1)")
    world.tick("content")
    assert world.counted("pgvigil_target_standby_usable") == 1
    assert told(world)[LOGGED] == "read on the standby"


def test_without_a_fallback_what_the_standby_cannot_tell_is_unknown(
    open_world: Callable[..., GatedWorld], pair: Pair
) -> None:
    world = open_world(fallback=False)
    world.tick("content")
    assert world.states("content") == {LOGGED: "passed", UNLOGGED: "unknown"}
    with psycopg.connect(pair.dsn, autocommit=True) as conn, pair.behind():
        conn.execute("INSERT INTO logged VALUES (1000)")
        world.tick("content")
    assert world.states("content") == {LOGGED: "unknown", UNLOGGED: "unknown"}
    assert reads(world) == (0, 1)


def test_without_a_fallback_a_fault_stays_one_while_nobody_can_look(
    open_world: Callable[..., GatedWorld], pair: Pair
) -> None:
    world = open_world(fallback=False)
    with psycopg.connect(pair.dsn, autocommit=True) as conn:
        conn.execute("INSERT INTO logged VALUES (-1)")
        world.tick("content")
        with pair.behind():
            conn.execute("DELETE FROM logged WHERE id = -1")
            world.tick("content")
            assert (world.states("content")[LOGGED], world.live()) == ("failed", ["open"])
    world.tick("content")
    assert (world.states("content")[LOGGED], world.live()) == ("passed", [])


@pytest.mark.parametrize("fallback", [True, False])
def test_a_standby_that_is_down_is_one_line_of_every_subject(
    open_world: Callable[..., GatedWorld], pair: Pair, *, fallback: bool
) -> None:
    world = open_world(fallback=fallback, dsn=dead_dsn(pair.dsn))
    with capture_logs() as logs:
        world.tick("content")
    assert world.states("content")[LOGGED] == ("passed" if fallback else "unknown")
    status = world.store.view().subjects["main", "content", LOGGED]
    said = told(world)[LOGGED] if fallback else status.error or ""
    why = world.watches[0].target.standby.obstacle  # type: ignore[union-attr]
    assert why.startswith("standby of main: cannot connect: ")
    nothing = "; nothing was read, as standby.fallback is none"
    assert said == (f"read on the primary instead: {why}" if fallback else why + nothing)
    assert "\n" not in said
    instead = "the primary is read" if fallback else "nothing is read"
    warning = {"event": "standby is not read", "target": "main", "reason": why, "instead": instead}
    assert logs == [warning | {"log_level": "warning"}]
    # It is the primary that is the target.
    assert world.up()


class Disturbed(Content):
    """What replay breaks off for as long as it is read on the standby."""

    disturb: Callable[[], None]

    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery((self.subject(next(one for one in catalog.tables if one.name == "logged")),))

    def run(self, context: Context, subject: Subject) -> Verdict:
        (row,) = context.fetch("SELECT pg_is_in_recovery() AS there")
        context.fetch("SELECT count(*) FROM public.logged")
        if row["there"]:
            self.disturb()
        return super().run(context, subject)


def test_what_replay_breaks_off_again_and_again_is_read_on_the_primary(
    open_world: Callable[..., GatedWorld], pair: Pair
) -> None:
    check = Disturbed()
    world = open_world(check)
    idle = "SELECT FROM pg_stat_activity WHERE application_name = 'pgvigil content'"
    with (
        psycopg.connect(pair.dsn, autocommit=True) as primary,
        psycopg.connect(pair.standby_dsn, autocommit=True) as admin,
    ):

        def disturb() -> None:
            primary.execute("DELETE FROM logged; INSERT INTO logged SELECT generate_series(1, 100)")
            primary.execute("VACUUM logged")
            wait_until(lambda: admin.execute(idle).rowcount == 0)

        check.disturb = disturb
        for _ in range(2):
            world.tick("content")
    assert world.states("content") == {LOGGED: "passed"}
    assert told(world)[LOGGED].startswith("read on the primary instead: standby of main: ")
    assert "conflict with recovery" in told(world)[LOGGED]
    assert world.counted("pgvigil_recovery_conflicts_total") == 6
    # It could be read, and nothing was.
    assert world.counted("pgvigil_target_standby_usable") == 1
    assert world.counted("pgvigil_target_standby_unread_seconds") > 0


class Anything(Content):
    """What does not say which tables decide its verdict."""

    def subject(self, table: Table) -> Subject:
        return replace(super().subject(table), reads=None)


def test_what_more_than_rows_may_decide_is_read_on_the_primary(
    open_world: Callable[..., GatedWorld],
) -> None:
    world = open_world(Anything(), fallback=False)
    world.tick("content")
    assert world.states("content") == {LOGGED: "passed", UNLOGGED: "passed"}
    assert reads(world) == (2, 0)


class Walking(Content):
    """What reads a table whose rows are not all that decides, as a comparison of two databases does."""

    def subject(self, table: Table) -> Subject:
        return replace(super().subject(table), reads=None, walks=(table,))


@pytest.mark.parametrize(("fallback", "state"), [(True, "passed"), (False, "unknown")])
def test_what_walks_rows_is_read_on_the_primary_only_with_a_fallback(
    open_world: Callable[..., GatedWorld], *, fallback: bool, state: str
) -> None:
    world = open_world(Walking(), fallback=fallback)
    world.tick("content")
    assert world.states("content") == {LOGGED: state, UNLOGGED: state}
    assert reads(world) == (2 if fallback else 0, 0)


def test_a_standby_that_goes_away_between_two_subjects_costs_nothing(
    open_world: Callable[..., GatedWorld], pair: Pair
) -> None:
    with psycopg.connect(pair.dsn, autocommit=True) as conn:
        for number in range(10):
            conn.execute(f"CREATE TABLE more_{number} AS SELECT 1 AS id")  # type: ignore[call-overload]

    class Ends(Content):
        ended = False

        def run(self, context: Context, subject: Subject) -> Verdict:
            verdict = super().run(context, subject)
            if not self.ended:
                self.ended = True
                pair.standby.stop()
            return verdict

    world = open_world(Ends())
    try:
        world.tick("content")
    finally:
        pair.standby.start()
    assert set(world.states("content").values()) == {"passed"}
    assert len(world.states("content")) == 12
    primary, standby = reads(world)
    assert primary > standby
    assert primary + standby == 12


class Dying(Content):
    """What the standby goes away under, in the middle of a run."""

    die: Callable[[], None]

    def run(self, context: Context, subject: Subject) -> Verdict:
        (row,) = context.fetch("SELECT pg_is_in_recovery() AS there")
        if row["there"]:
            self.die()
        return super().run(context, subject)


@pytest.mark.parametrize("fallback", [True, False])
def test_a_standby_that_dies_in_the_middle_of_a_run_says_that_it_did(
    open_world: Callable[..., GatedWorld], pair: Pair, *, fallback: bool
) -> None:
    check = Dying()
    check.die = pair.standby.stop
    world = open_world(check, fallback=fallback)
    with capture_logs() as logs:
        try:
            world.tick("content")
            with psycopg.connect(pair.dsn, autocommit=True) as conn:
                conn.execute("INSERT INTO logged VALUES (1000)")
            world.tick("content")
        finally:
            pair.standby.start()
    lost = "standby of main: connection lost: terminating connection due to administrator command"
    said = [stored.run for stored in world.store.runs() if stored.run.subject == LOGGED][-1]
    if fallback:
        assert said.explain == f"read on the primary instead: {lost}"
    else:
        assert (said.explain, said.error) == ("", f"{lost}; nothing was read, as standby.fallback is none")
    assert reads(world) == ((4, 0) if fallback else (0, 0))
    # Once, although it was tried again.
    (warning,) = [entry for entry in logs if entry["event"] == "standby is not read"]
    assert warning["reason"].startswith("standby of main: ")
    assert world.watches[0].usage().standby.why.startswith("standby of main: cannot connect: ")  # type: ignore[union-attr]
    assert world.counted("pgvigil_target_standby_usable") == 0
    assert world.counted("pgvigil_target_standby_unread_seconds") > 0
    assert world.up()


def test_one_that_could_not_be_read_is_asked_again_where_nothing_is_to_be_read(
    open_world: Callable[..., GatedWorld], pair: Pair
) -> None:
    world = open_world()
    with psycopg.connect(pair.dsn, autocommit=True) as conn, pair.behind():
        conn.execute("INSERT INTO logged VALUES (1000)")
        wait_until(lambda: world.ticked()[LOGGED] == "spared")
        assert world.counted("pgvigil_target_standby_usable") == 0
    with capture_logs() as logs:
        wait_until(
            lambda: world.ticked()[LOGGED] == "spared" and world.counted("pgvigil_target_standby_usable")
        )
    assert [entry["event"] for entry in logs] == ["standby is read again"]
    assert world.counted("pgvigil_target_standby_unread_seconds") == 0
    assert reads(world)[1] == 0


def test_the_primary_that_is_down_is_the_target_that_is_down(store: Store, pair: Pair) -> None:
    with closing(GatedWorld(store, dead_dsn(pair.dsn))) as world:
        pair.reading(world.watches[0])
        world.tick("content")
        assert not world.up()
        assert set(world.states("content").values()) == {"unknown"}


def test_one_look_by_hand_reads_there_as_well(pair: Pair) -> None:
    check = Content(Params())
    watch = pair.reading(watch_of(pair.dsn, check))  # type: ignore[arg-type]
    with closing(watch.target):
        report = check_once(watch)
    said = {run.subject: run.explain for run in report.runs}
    assert said == {LOGGED: "read on the standby", UNLOGGED: "read on the primary"}


def test_what_keeps_the_standby_busy_counts_as_well(pair: Pair) -> None:
    watch = watch_of(pair.dsn)
    with closing(watch.target), ExitStack() as stack:
        sensor = Sensor(watch.target, pair.dsn)
        for _ in range(30):
            stack.enter_context(psycopg.connect(pair.standby_dsn))
        alone = sensor()[Signal.CONNECTIONS_LEFT]
        pair.reading(watch)
        both = sensor()[Signal.CONNECTIONS_LEFT]
        assert alone is not None
        assert both is not None
        assert both < alone - 20
        # One that does not answer is told by who wants to read it.
        watch.target.standby.stop()  # type: ignore[union-attr]
        assert sensor()[Signal.CONNECTIONS_LEFT] is not None
