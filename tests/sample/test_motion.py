"""Faults that come and go: every step is what its line and its answer key say."""

from __future__ import annotations

import psycopg
import pytest

from pgvigil.sample import Motion, heal, plant_crisis
from tests.sample import recount
from tests.sample.test_faults import answer_matches


@pytest.mark.every_pg
def test_the_answer_key_moves_along(sample: str) -> None:
    motion = Motion(sample, 1, plant_crisis(sample, seed=1))
    with psycopg.connect(sample, autocommit=True) as connection:
        for _ in range(12):
            lines = [motion.step() for _ in range(5)]
            assert all(line and "\n" not in line for line in lines)
            answer_matches(connection, motion.answer)


def test_faults_appear_grow_shrink_and_heal(sample: str) -> None:
    motion = Motion(sample, 1)
    seen: set[int] = set()
    moves: set[str] = set()
    for _ in range(120):
        before = {fault.fault: fault.rows for fault in motion.answer.planted}
        line = motion.step()
        after = {fault.fault: fault.rows for fault in motion.answer.planted}
        assert len(dict(before.items() ^ after.items())) == 1, line
        moves.add(line.split()[0])
        seen.add(len(after))
        assert sum(abs(after.get(one, 0) - before.get(one, 0)) for one in {*before, *after}) <= 30
    assert moves == {"planted", "moved", "healed"}
    assert len(seen) > 5  # faults at the same time


def test_the_seed_decides_on_the_steps(sample: str) -> None:
    lines = []
    for _ in range(2):
        motion = Motion(sample, 7)
        lines.append([motion.step() for _ in range(10)])
        heal(sample)
    assert lines[0] == lines[1]
    other = Motion(sample, 8)
    assert [other.step() for _ in range(10)] != lines[0]


def test_a_table_in_use_is_left_alone(sample: str) -> None:
    motion = Motion(sample, 1)
    with psycopg.connect(sample) as reader:
        for oid, *_ in reader.execute(recount.TABLES).fetchall():
            reader.execute(f"LOCK TABLE {_name(reader, oid)} IN ACCESS EXCLUSIVE MODE")
        lines = {motion.step().partition(" as it is")[2] for _ in range(3)}
    assert lines == {": somebody else uses its tables"}
    assert motion.answer.planted == ()
    with psycopg.connect(sample) as connection:
        answer_matches(connection, motion.answer)
    assert motion.step().startswith("planted")


def _name(connection: psycopg.Connection, oid: int) -> str:
    row = connection.execute("SELECT %s::oid::regclass::text", [oid]).fetchone()
    assert row is not None
    return str(row[0])
