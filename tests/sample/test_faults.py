"""The crisis: the answer key says what is in the database, and healing brings all of it to nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from pgvigil.errors import QueryFailedError
from pgvigil.sample import AnswerKey, Kind, heal, plant_crisis
from pgvigil.sample.faults import FAULTS
from pgvigil.sample.session import session
from tests.sample import recount

if TYPE_CHECKING:
    from pgvigil.sample import Planted


def answer_matches(connection: psycopg.Connection, answer: AnswerKey) -> None:
    """Hold every figure of the answer key against plain SQL, and every relation that it does not name."""
    assert recount.partial_nulls(connection) == sum(fault.partially_null for fault in answer.planted)
    orphans = {one.relation: one.rows - one.partially_null for one in answer.planted if one.relation}
    found = {one: recount.orphans_of(connection, one) for one in {*orphans, *recount.declared(connection)}}
    assert {one: n for one, n in found.items() if n} == {one: n for one, n in orphans.items() if n}
    assert asdict(answer.drift()) == recount.drift(connection)


@pytest.mark.every_pg
def test_the_answer_key_says_what_is_in_the_database(sample: str) -> None:
    answer = plant_crisis(sample, seed=1)
    with psycopg.connect(sample) as connection:
        answer_matches(connection, answer)
        assert len(recount.declared(connection)) == 28
        assert len(connection.execute(recount.TABLES).fetchall()) == 106


@pytest.mark.every_pg
def test_healing_leaves_the_database_as_it_was(sample: str) -> None:
    with psycopg.connect(sample, autocommit=True) as connection:
        before = recount.checksum(connection), recount.constraints(connection)
        plant_crisis(sample, seed=1)
        assert before[0] != recount.checksum(connection)
        assert before[1] != recount.constraints(connection)
        heal(sample)
        assert before == (recount.checksum(connection), recount.constraints(connection))
        heal(sample)
        assert before == (recount.checksum(connection), recount.constraints(connection))


@pytest.mark.every_pg
def test_six_foreign_keys_are_broken_each_in_its_own_way(sample: str) -> None:
    answer = plant_crisis(sample, seed=1)
    assert {broken.kind for broken in answer.broken_keys()} == {
        Kind.NOT_VALID,
        Kind.TRIGGERS_DISABLED,
        Kind.REPLICA_LOAD,
        Kind.WRONG_PARENT,
        Kind.MISSING_KEY,
        Kind.INVALID_INDEX,
    }
    broken = {one.kind: _key(sample, one) for one in answer.broken_keys()}
    sound = {"validated": True, "triggers_off": 0, "index_valid": True}
    assert broken[Kind.NOT_VALID] == sound | {"validated": False}
    assert broken[Kind.TRIGGERS_DISABLED] == sound | {"triggers_off": 2}
    assert broken[Kind.REPLICA_LOAD] == sound
    assert broken[Kind.INVALID_INDEX] == sound | {"index_valid": False}
    assert broken[Kind.MISSING_KEY] is None
    # The wrong parent is empty, and the right one is not.
    assert broken[Kind.WRONG_PARENT] == sound
    _, wrong, right = answer.fault("wrong_parent").tables
    with psycopg.connect(sample) as connection:
        assert recount.number(connection, f"SELECT count(*) FROM {wrong}") == 0
        assert recount.number(connection, f"SELECT count(*) FROM {right}") == 1_000


def _key(dsn: str, fault: Planted) -> dict[str, object] | None:
    """What the catalog says of the constraint that a fault names."""
    assert fault.constraint is not None
    table, name = fault.constraint.split("/")
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            """
            SELECT k.convalidated, i.indisvalid,
                   (SELECT count(*) FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O')
            FROM pg_constraint k JOIN pg_index i ON i.indexrelid = k.conindid
            WHERE k.conrelid = %s::regclass AND k.conname = %s
            """,
            [table, name],
        ).fetchone()
    return {"validated": row[0], "index_valid": row[1], "triggers_off": row[2]} if row else None


def test_orphans_are_named_in_the_order_of_their_key(sample: str) -> None:
    answer = plant_crisis(sample, seed=1)
    with psycopg.connect(sample) as connection:
        for fault in answer.planted:
            if fault.relation and fault.keys and not fault.partially_null:
                names = list(fault.keys[0])
                query = SQL("SELECT {} {} ORDER BY c.{} LIMIT 20").format(
                    SQL(", ").join(SQL("c.{}::text").format(Identifier(name)) for name in names),
                    recount.orphans_query(connection, fault.relation),
                    Identifier(names[0]),
                )
                listed = [tuple(map(str, key.values())) for key in fault.keys]
                assert connection.execute(query).fetchall() == listed, fault.fault


def test_changed_games_are_named(sample: str) -> None:
    changes = [one for one in plant_crisis(sample, seed=1).planted if one.kind is Kind.CHANGED]
    assert sorted(column for one in changes for column in one.columns) == sorted(recount.COMPARED)
    with psycopg.connect(sample) as connection:
        for change in changes:
            for column in change.columns:
                assert recount.differing(connection, column) == {key["igdb_id"] for key in change.keys}, (
                    column
                )


def test_the_seed_decides(sample: str) -> None:
    answer = plant_crisis(sample, seed=1)
    assert plant_crisis(sample, seed=2) != answer
    assert plant_crisis(sample, seed=1) == answer


def test_orphans_lie_in_analytics_and_in_monitoring(sample: str) -> None:
    schemas = [relation.partition(".")[0] for relation in plant_crisis(sample, seed=1).orphans()]
    assert set(schemas) == {"analytics", "monitoring"}


def test_a_row_is_touched_by_one_fault_only(sample: str) -> None:
    answer = plant_crisis(sample, seed=3)
    keys = [tuple(sorted(key.items())) for fault in answer.planted if fault.pair for key in fault.keys]
    duplicates = answer.fault("drift_left_duplicate").keys
    assert len(keys) == len(set(keys))
    assert duplicates


def test_a_fault_heals_without_the_others(sample: str) -> None:
    answer = plant_crisis(sample, seed=1)
    for fault in FAULTS:
        with session(sample) as connection:
            fault.heal(connection)
        answer = AnswerKey.of(1, (other for other in answer.planted if other.fault != fault.name))
        with psycopg.connect(sample) as connection:
            answer_matches(connection, answer)
    assert answer.planted == ()


def test_the_key_survives_a_file(sample: str) -> None:
    answer = plant_crisis(sample, seed=1)
    assert AnswerKey.from_json(answer.to_json()) == answer


def test_who_may_not_break_the_catalog_changes_nothing(sample: str) -> None:
    with psycopg.connect(sample, autocommit=True) as connection:
        before = recount.checksum(connection), recount.constraints(connection)
        connection.execute("DROP ROLE IF EXISTS sample_clerk")
        connection.execute("CREATE ROLE sample_clerk LOGIN PASSWORD 'sample'")
        try:
            with pytest.raises(QueryFailedError, match="refused a statement: permission denied"):
                plant_crisis(make_conninfo(sample, user="sample_clerk", password="sample"), seed=1)
        finally:
            connection.execute("DROP ROLE sample_clerk")
        assert before == (recount.checksum(connection), recount.constraints(connection))
