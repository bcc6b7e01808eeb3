"""Batches in the engine: committed together, each subject with a run of its own, and gone on with as one."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from pgvigil.check import Discovery, Outcome, Subject
from pgvigil.clock import SystemClock
from pgvigil.governor import Governor
from pgvigil.metrics import Counters
from pgvigil.progress import Progress
from pgvigil.recorder import Recorder
from pgvigil.touching import Touching
from tests.engine.world import World, watch_of
from tests.incident.life import run as run_of
from tests.runner.plugins import CLEAN, Plugin, faulty
from tests.schedule.test_scheduler import HandClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pgvigil.check import Context
    from pgvigil.store import Store

NAMES = ["a", "b", "c", "d", "e"]
SUBJECTS = tuple(Subject(name) for name in NAMES)


class Together(Plugin):
    """A plugin that looks at all of its subjects together."""

    def batches(self, subjects: Sequence[Subject]) -> Sequence[Sequence[Subject]]:
        return (subjects,)


def batched(world: World) -> set[str]:
    """Return the subjects whose last runs began at the same moment as another one's."""
    moments = {key[2]: status.started_at for key, status in world.store.view().subjects.items()}
    return {name for name, at in moments.items() if list(moments.values()).count(at) > 1}


def test_a_broken_subject_costs_the_others_their_batch_once(
    world_of: Callable[..., World], database: str
) -> None:
    broken = {"c"}

    def run(context: Context, subject: Subject) -> Any:
        context.fetch("SELECT nonsense" if subject.name in broken else "SELECT 1")
        return faulty() if subject.name == "b" else CLEAN

    world = world_of(watch_of(database, Together(run, NAMES)))
    told = {"a": "pass", "b": "fail", "c": "error", "d": "pass", "e": "pass"}
    world.tick()
    assert world.outcomes() == told
    assert batched(world) == {"a", "b", "d", "e"}
    world.tick()
    assert world.outcomes() == told
    assert batched(world) == {"a", "b", "d", "e"}
    broken.clear()
    world.tick()
    world.tick()
    assert batched(world) == set(NAMES)
    assert world.outcomes() == told | {"c": "pass"}
    assert world.counted("pgvigil_runs_total") == 4 * len(NAMES)
    assert world.live() == ["open"]


def test_tables_that_are_locked_cost_the_others_nothing_but_the_wait(
    world_of: Callable[..., World], database: str
) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("CREATE TABLE a AS SELECT 1; CREATE TABLE b AS SELECT 1; CREATE TABLE c AS SELECT 1")
        conn.execute("CREATE TABLE d AS SELECT 1; CREATE TABLE e AS SELECT 1")
        conn.commit()
        conn.execute("LOCK b; LOCK d")
        run = Together(lambda context, one: context.fetch(f"TABLE public.{one.name}") and CLEAN, NAMES)
        world = world_of(watch_of(database, run))
        world.tick()
    assert world.outcomes() == {"a": "pass", "b": "timeout", "c": "pass", "d": "timeout", "e": "pass"}
    assert batched(world) == {"a", "c", "e"}


def test_who_cannot_be_examined_is_in_no_batch(world_of: Callable[..., World], database: str) -> None:
    seen: list[str] = []

    def run(_: Context, subject: Subject) -> Any:
        seen.append(subject.name)
        return CLEAN

    subjects = (*SUBJECTS, Subject("z", unexaminable="a foreign table"))
    world = world_of(watch_of(database, Together(run, discover=lambda _: Discovery(subjects))))
    world.tick()
    assert sorted(seen) == NAMES
    assert world.outcomes()["z"] == "skipped"


def test_a_stop_ends_a_batch_without_a_word_of_its_subjects(
    world_of: Callable[..., World], database: str
) -> None:
    begun = threading.Event()

    def run(context: Context, subject: Subject) -> Any:
        begun.set()
        context.fetch("SELECT pg_sleep(15)")
        return CLEAN

    world = world_of(watch_of(database, Together(run, NAMES)))
    tick = threading.Thread(target=world.tick)
    tick.start()
    assert begun.wait(30)
    world.engine.stop()
    tick.join(30)
    assert not tick.is_alive()
    assert set(world.outcomes().values()) == {None}


def test_the_time_of_a_batch_is_rested_for_once(world_of: Callable[..., World], database: str) -> None:
    watch = watch_of(
        database, Together(lambda context, _: context.fetch("SELECT pg_sleep(0.05)") and CLEAN, NAMES)
    )
    governor = Governor(2)
    world = world_of(replace(watch, governor=governor))
    world.tick()
    (status,) = {one.outcome for one in world.store.view().subjects.values()}
    assert status is Outcome.PASS
    slept = 0.05 * len(NAMES)
    walls = sum(one.run.duration_seconds for one in world.store.runs())
    assert slept <= governor.busy_seconds <= walls


def progress_of(store: Store, clock: HandClock, definition: str = "same") -> Progress:
    return Progress(
        store,
        ("main", "plugin"),
        clock,
        define=lambda subject: f"{definition} {subject.name}",
        still=lambda: True,
    )


def test_how_far_a_batch_has_come_is_for_the_same_batch_alone(store: Store) -> None:
    clock = HandClock()
    store.sync_subjects("main", "plugin", NAMES, clock.now(), 60)
    save = progress_of(store, clock)(SUBJECTS).save
    clock.pass_(timedelta(seconds=6))
    save({"page": 7}, 0.5)
    again = progress_of(store, clock)
    assert again(SUBJECTS).resumed == {"page": 7}
    assert again.resumed == set(NAMES)
    assert again(SUBJECTS[:4]).resumed == {}
    assert again(SUBJECTS[:1]).resumed == {}
    assert again(SUBJECTS[1:]).resumed == {}
    assert progress_of(store, clock, "another")(SUBJECTS).resumed == {}
    store.record(replace(run_of(subject="a"), target="main", check="plugin"))
    assert progress_of(store, clock)(SUBJECTS).resumed == {}


def test_each_subject_of_a_batch_has_its_own_memory(store: Store) -> None:
    for number, name in enumerate(NAMES):
        kept = replace(run_of(subject=name), target="main", check="plugin", memory={"n": number})
        store.record(kept)
    touching = Touching(None, progress_of(store, HandClock()), full=False)
    batch = touching(SUBJECTS)
    assert batch.memory == {}
    assert [batch.each(subject).memory for subject in SUBJECTS] == [{"n": n} for n in range(5)]
    assert touching(SUBJECTS[:1]).memory == {"n": 0}


def test_a_run_that_fits_no_store_is_the_only_one_that_is_lost(store: Store) -> None:
    counters = Counters()
    recorder = Recorder(store, counters, SystemClock())
    runs = [run_of(subject=name) for name in NAMES]
    runs[2] = replace(runs[2], rows_examined=2**70)
    recorder.record(runs)
    assert {status.name for status in store.subjects()} == {"a", "b", "d", "e"}
    (errors,) = (
        sample.value
        for family in counters.collect()
        for sample in family.samples
        if sample.name == "pgvigil_store_errors_total"
    )
    assert errors == 1
