"""A run has one snapshot at a time, and lets go of it however it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.errors import ChangedError, QueryFailedError
from pgvigil.snapshots import Snapshots
from pgvigil.target import Limits, Target
from pgvigil.unchanged import Unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack

    import psycopg

    from pgvigil.target import Snapshot


@pytest.fixture
def lone(database: str) -> Iterator[Target]:
    """A target with one session: a second one is had only once the first was given back."""
    target = Target("main", database, Limits(connections=1))
    yield target
    target.close()


def of(target: Target, go_on: Callable[[], None] = lambda: None) -> Snapshots:
    def begin(stack: ExitStack) -> Snapshot:
        return stack.enter_context(target.snapshot(wait=False))

    return Snapshots(begin, go_on, Unchanged(lambda: None))


def transaction(snapshots: Snapshots) -> str:
    with snapshots.asking() as snapshot:
        found = snapshot.fetch("SELECT virtualtransaction AS id FROM pg_locks WHERE pid = pg_backend_pid()")
    return str(found[0]["id"])


def test_what_is_asked_sees_one_snapshot_until_it_was_ended(lone: Target) -> None:
    snapshots = of(lone)
    assert snapshots.current is None
    first = transaction(snapshots)
    assert transaction(snapshots) == first
    snapshots.end()
    assert snapshots.current is None
    assert transaction(snapshots) != first
    snapshots.end()
    snapshots.end()


def test_a_snapshot_that_says_nothing_is_let_go_of(lone: Target, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE t (id int)")
    snapshots = of(lone)
    transaction(snapshots)
    admin_conn.execute("TRUNCATE t")
    with snapshots.asking() as snapshot:
        snapshot.fetch("SELECT id FROM public.t")
    with pytest.raises(ChangedError, match="was changed"):
        snapshots.end()
    transaction(of(lone))


def test_one_that_was_begun_for_a_run_that_is_over_is_let_go_of(lone: Target) -> None:
    def over() -> None:
        raise QueryFailedError("the run is over")

    snapshots = of(lone, over)
    with pytest.raises(QueryFailedError, match="is over"):
        transaction(snapshots)
    assert snapshots.current is None
    transaction(of(lone))


def test_time_is_counted_from_rest_to_rest_also_of_what_fails_and_of_the_end(lone: Target) -> None:
    snapshots = of(lone)
    with pytest.raises(QueryFailedError), snapshots.asking() as snapshot:
        snapshot.fetch("SELECT 1 / length(pg_sleep(0.1)::text)")
    assert snapshots.busy_seconds == snapshots.last_seconds >= 0.1
    snapshots.let_go()
    assert snapshots.rested() >= 0.1
    transaction(snapshots)
    asked = snapshots.busy_seconds
    snapshots.end()
    assert snapshots.busy_seconds > asked
    assert snapshots.last_seconds == asked < 0.1
