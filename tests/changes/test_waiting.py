"""No snapshot of a run is held for as long as the slot takes to be read."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.changes import Slot
from tests.changes.conftest import World, texts
from tests.target.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.changes.slot import Peeked
    from pgvigil.check import Touched
    from tests.changes.conftest import Run

pytestmark = [pytest.mark.contrib]

TABLE = "CREATE TABLE t (id int PRIMARY KEY, note text)"
_PATIENCE = "pgvigil.changes.changes._PATIENCE_SECONDS"
_IDLE = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'pgvigil%' AND state = 'idle in transaction'"""


class Stall:
    """Decoding that does not end before it is let."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.let = threading.Event(), threading.Event()
        self.decoded = 0
        peek = Slot.peek

        def stalled(slot: Slot, *arguments: Any) -> Peeked | None:
            self.begun.set()
            assert self.let.wait(30)
            peeked = peek(slot, *arguments)
            self.decoded += 1
            return peeked

        monkeypatch.setattr(Slot, "peek", stalled)


@pytest.fixture
def known(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a table, and runs that wait for whatever ends, however busy the machine is."""
    world.execute(TABLE)
    world.tick(world.run("public.t"))
    monkeypatch.setattr(_PATIENCE, 30.0)
    return world


@pytest.fixture
def stall(known: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stall]:
    stalled = Stall(monkeypatch)
    stalled.let.set()
    yield stalled
    stalled.let.set()


@contextmanager
def reading(world: World, stall: Stall) -> Iterator[Run]:
    """Yield a run to which a row is new, while a sweep reads the slot; afterwards the sweep has read it."""
    run = world.run("public.t")
    world.tick(run)
    world.execute("INSERT INTO t VALUES (1, 'a')")
    stall.begun.clear()
    stall.let.clear()
    ticking = threading.Thread(target=world.changes.begin_tick)
    ticking.start()
    assert stall.begun.wait(30)
    yield run
    assert ticking.is_alive()
    stall.let.set()
    ticking.join()


def expect(touched: Touched | None, *ids: str) -> None:
    """Expect that a run was told these new rows."""
    assert touched is not None
    assert texts(touched.new, "id") == list(ids)


def idle(world: World) -> int:
    with psycopg.connect(world.dsn) as conn:
        [count] = conn.execute(_IDLE).fetchone() or [-1]
    return int(count)


def test_a_sweep_reads_the_slot_before_any_run_has_a_snapshot(known: World, stall: Stall) -> None:
    with reading(known, stall) as run:
        assert idle(known) == 0
    expect(run.ask(), "1")


def test_a_snapshot_does_not_wait_for_what_takes_long_and_later_ones_have_it(
    known: World, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = known.run("public.t"), known.run("public.t")
    for run in (first, second):
        known.tick(run)
    known.changes.begin_tick()
    known.execute("INSERT INTO t VALUES (1, 'a')")
    stall.let.clear()
    decoded = stall.decoded
    # Each ends although what it sees is not decoded yet: all its rows are looked at.
    with monkeypatch.context() as patched:
        patched.setattr(_PATIENCE, 0.1)
        assert first.ask() is None
        assert second.ask() is None
    assert stall.decoded == decoded
    assert idle(known) == 0
    first.commit()
    stall.let.set()
    # The reading went on, and the run that left its note as it was is told.
    wait_until(lambda: stall.decoded > decoded)
    expect(known.tick(second), "1")
    # The other one could not leave a note, and begins anew.
    assert known.tick(first) is None
    assert known.tick(first) is not None


def test_a_snapshot_does_not_wait_while_another_sweep_reads(
    known: World, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reading(known, stall) as run:
        with monkeypatch.context() as patched:
            patched.setattr(_PATIENCE, 0.1)
            assert run.ask() is None
        # Nor does it wait for a run to be committed.
        known.changes.committed(known.run("public.t"), None)
    expect(run.ask(), "1")


def test_one_snapshot_has_the_slot_read_once_whatever_is_written_meanwhile(
    known: World, stall: Stall
) -> None:
    run = known.run("public.t")
    known.tick(run)
    [table] = [one for one in known.target.read_catalog().tables if one.name == "t"]
    known.execute("INSERT INTO t VALUES (1, 'a')")
    with known.target.snapshot("test") as snapshot:
        asking = known.changes.asking(None, "it", run.now)
        asking.touched(snapshot.fetch, table)
        decoded = stall.decoded
        known.execute("INSERT INTO t VALUES (2, 'b')")
        asking.touched(snapshot.fetch, table)
        assert stall.decoded == decoded
    expect(known.tick(run), "1", "2")
