"""Rows that are sent as one document are stored as if each had been sent by itself."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, insert, select, update

from pgvigil.errors import UnfitError
from pgvigil.store import Store, bulk
from pgvigil.store.bulk import insert_rows, one_of, update_rows, upsert_rows
from pgvigil.store.schema import notes, runs, subjects
from tests.databases import fresh_database
from tests.store.conftest import store_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.embedded import Server

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ELSEWHERE = timezone(timedelta(hours=-5, minutes=-30))
ODD = 'The "quick" fox\n\\ ← здравствуй 🦊 \\u0000 %s :rows ${1}'
TEXTS = ("", ODD, "nul \0 and lone \ud800 surrogate", "0123", "1e5", "null", "[]")
JSON: tuple[Any, ...] = ({}, [], {"a": [1, None, 1.5, True]}, [{ODD: ODD, "nul \0": "\ud800"}], "text", 7)
MOMENTS = (NOW, NOW.astimezone(ELSEWHERE), NOW + timedelta(microseconds=1), NOW.replace(year=1900))
NUMBERS = (0, 1, -1, 2**63 - 1, -(2**63) + 1)
FLOATS = (0.0, 0.1 + 0.2, 1e-300, 1e300, -1.5)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    names = [f"s{number}" for number in range(150)]
    store.sync_subjects("games", "orphan_rows", names, NOW, 60)
    with store._database.writing() as connection:
        yield connection


def keys(connection: Connection) -> list[int]:
    return list(connection.scalars(select(subjects.c.id).order_by(subjects.c.id)))


def run_row(dice: random.Random, subject_id: int) -> dict[str, Any]:
    return {
        "subject_id": subject_id,
        "outcome": dice.choice(["pass", "fail"]),
        "started_at": dice.choice(MOMENTS),
        "finished_at": dice.choice(MOMENTS),
        "duration_seconds": dice.choice(FLOATS),
        "rows_examined": dice.choice(NUMBERS),
        "strategy": dice.choice(TEXTS),
        "error": dice.choice([None, *TEXTS]),
        "confirm": dice.choice([1, 2]),
        "findings": dice.choice(JSON),
        "measures": dice.choice(JSON),
        "explain": dice.choice(TEXTS),
    }


def stored(connection: Connection, table: Any) -> list[tuple[Any, ...]]:
    """Return all rows by their keys, but for the number of a run."""
    columns = [column for column in table.c if column.name != "id" or table is subjects]
    key = runs.c.subject_id if table is runs else next(iter(table.primary_key))
    return [tuple(row) for row in connection.execute(select(*columns).order_by(key))]


@pytest.mark.parametrize("alike", [False, True])
def test_many_rows_are_stored_as_one_after_the_other(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, *, alike: bool
) -> None:
    dice = random.Random(1)
    rows = [run_row(dice, key) for key in keys(connection)]
    if alike:
        rows = [rows[0] | {"subject_id": row["subject_id"], "explain": row["explain"]} for row in rows]
    else:
        monkeypatch.setattr(bulk, "_LARGEST_DOCUMENT", 5_000)
    for row in rows:
        connection.execute(insert(runs).values(row))
    by_one = stored(connection, runs)
    connection.execute(runs.delete())
    returned = insert_rows(connection, runs, rows, ("subject_id", "id"))
    assert stored(connection, runs) == by_one
    assert sorted(map(tuple, returned)) == sorted(
        map(tuple, connection.execute(select(runs.c.subject_id, runs.c.id)))
    )


def test_what_is_equal_is_not_yet_the_same_json(connection: Connection) -> None:
    findings = [[{"sample": 1}], [{"sample": True}], [{"sample": 1.0}]]
    row = run_row(random.Random(4), 0)
    rows = [row | {"subject_id": key, "findings": findings[key % 3]} for key in keys(connection)]
    insert_rows(connection, runs, rows, ("id",))
    kept = connection.execute(select(runs.c.subject_id, runs.c.findings))
    assert {key: repr(value) for key, value in kept} == {
        one["subject_id"]: repr(one["findings"]) for one in rows
    }


@pytest.mark.parametrize("alike", [False, True])
def test_many_rows_are_updated_as_one_after_the_other(connection: Connection, *, alike: bool) -> None:
    dice = random.Random(2)
    changes = [
        {
            "id": key,
            "state": "passed",
            "last_run": dice.choice([None, 2**40]),
            "completed_at": dice.choice([None, *MOMENTS]),
            "violations": dice.choice(JSON),
            "incomplete": dice.choice(NUMBERS),
        }
        for key in keys(connection)[10:]
    ]
    if alike:
        changes = [changes[0] | {"id": change["id"]} for change in changes]
    with connection.begin_nested() as nested:
        for change in changes:
            of = {name: value for name, value in change.items() if name != "id"}
            connection.execute(update(subjects).where(subjects.c.id == change["id"]).values(of))
        by_one = stored(connection, subjects)
        nested.rollback()
    before = stored(connection, subjects)
    update_rows(connection, subjects, changes)
    assert stored(connection, subjects) == by_one
    assert stored(connection, subjects)[:10] == before[:10]


def test_what_is_there_already_is_replaced_and_what_is_not_added(connection: Connection) -> None:
    first, *others = keys(connection)
    nothing = {"memory": {}, "position": None, "examined_at": None, "resumed": None, "done": None}
    upsert_rows(connection, notes, [nothing | {"subject_id": first, "position": "0/1", "saved_at": NOW}])
    # Of many rows that have them in common, NULLs have to be known for what they are, too.
    upsert_rows(connection, notes, [{"subject_id": key} | nothing for key in (first, *others)])
    after = [tuple(row) for row in connection.execute(select(notes).order_by(notes.c.subject_id))]
    assert after == [(first, {}, None, None, None, None, NOW)] + [
        (key, {}, None, None, None, None, None) for key in others
    ]


@pytest.mark.parametrize("wrong", [{"findings": {("a", "tuple"): 1}}, {"duration_seconds": float("nan")}])
def test_what_is_no_json_does_not_fit(connection: Connection, wrong: dict[str, Any]) -> None:
    row = run_row(random.Random(3), keys(connection)[0])
    with pytest.raises(UnfitError, match="cannot be written"):
        insert_rows(connection, runs, [row | wrong], ("id",))


def test_a_column_is_compared_with_many_texts(connection: Connection) -> None:
    wanted = [*(f"s{number}" for number in range(100, 150)), ODD, "nobody"]
    found = connection.scalars(select(subjects.c.name).where(one_of(connection, subjects.c.name, wanted)))
    assert set(found) == set(wanted[:50])
    assert (
        connection.scalars(select(subjects.c.id).where(one_of(connection, subjects.c.name, []))).all() == []
    )


def test_a_database_without_an_encoding_keeps_every_character(pg_server: Server) -> None:
    dice = random.Random(5)
    with fresh_database(pg_server, encoding="SQL_ASCII") as dsn, Store.open(store_url(dsn)) as store:
        store.sync_subjects("games", "orphan_rows", [ODD, "other"], NOW, 60)
        with store._database.writing() as connection:
            # What is kept as JSON may hold any character at all.
            rows = [
                run_row(dice, key) | {"error": ODD, "explain": "", "strategy": "", "findings": [{ODD: ODD}]}
                for key in keys(connection)
            ]
            insert_rows(connection, runs, rows, ("id",))
            kept = connection.execute(select(runs.c.error, runs.c.findings)).all()
            assert list(map(tuple, kept)) == [(ODD, [{ODD: ODD}])] * 2
            found = connection.scalars(
                select(subjects.c.name).where(one_of(connection, subjects.c.name, [ODD]))
            )
            assert found.all() == [ODD]
