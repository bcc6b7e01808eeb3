"""The healthy sample: what is in it, that it is sound, and that it is the same every time."""

from __future__ import annotations

import tracemalloc
from collections import deque
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.errors import TargetUnreachableError, UsageError
from pgvigil.sample import build
from pgvigil.sample.world import World
from pgvigil.sample.zones import TABLES
from tests.sample import recount

if TYPE_CHECKING:
    from pgvigil.embedded import Server


@pytest.mark.every_pg
def test_it_has_the_size_of_the_crisis(sample: str) -> None:
    with psycopg.connect(sample) as connection:
        tables = connection.execute(recount.TABLES).fetchall()
        assert len({schema for _, schema, *_ in tables}) == 11
        assert len(tables) == 106
        assert len(recount.declared(connection)) == 28


@pytest.mark.every_pg
def test_every_relation_holds(sample: str) -> None:
    with psycopg.connect(sample) as connection:
        assert {
            one: n for one in recount.declared(connection) if (n := recount.orphans_of(connection, one))
        } == {}
        assert recount.partial_nulls(connection) == 0


def test_the_two_game_tables_hold_the_same_games(sample: str) -> None:
    with psycopg.connect(sample) as connection:
        found = recount.drift(connection)
        scored = recount.number(connection, "SELECT count(quality_score) FROM curated.enhanced_games")
    assert not any(found.values())
    assert scored == 800


def test_no_table_references_both_game_tables(sample: str) -> None:
    with psycopg.connect(sample) as connection:
        relations = recount.declared(connection)
    left, right = (
        {relation.partition("(")[0] for relation in relations if f"-> curated.{game}(" in relation}
        for game in ("enhanced_games", "games_complete")
    )
    assert left
    assert right
    assert left.isdisjoint(right)


def test_it_has_what_real_databases_have(sample: str) -> None:
    questions = {
        "partitioned tables": "SELECT count(*) FROM pg_partitioned_table",
        "inheritance children": "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = inhrelid"
        " WHERE NOT relispartition AND relkind = 'r'",
        "composite keys": "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conkey[2] > 0",
        "self-references": "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = confrelid",
        "match full": "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confmatchtype = 'f'",
        "deferred keys": "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND condeferred",
        "generated columns": "SELECT count(*) FROM pg_attribute WHERE attgenerated = 's'",
        "domains": "SELECT count(*) FROM pg_type WHERE typtype = 'd' AND typnamespace >= 16384",
        "names beyond ASCII": f"SELECT count(*) FROM ({recount.TABLES}) t WHERE relname ~ '[^ -~]'",
        "names to quote": f"SELECT count(*) FROM ({recount.TABLES}) t WHERE quote_ident(relname) <> relname",
        "views": "SELECT count(*) FROM pg_class WHERE relkind IN ('v', 'm') AND oid >= 16384",
    }
    types = (
        "SELECT DISTINCT a.atttypid::regtype::text FROM pg_constraint k"
        " JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey)"
        " WHERE k.contype = 'f'"
    )
    with psycopg.connect(sample) as connection:
        assert [what for what, query in questions.items() if not recount.number(connection, query)] == []
        keys = {row[0] for row in connection.execute(types)}
    assert {"uuid", "text", "numeric", "bigint", "integer", "character"} <= keys


def test_the_same_seed_makes_the_same_rows(sample: str, database: str) -> None:
    build(database, scale=1, seed=1)
    with psycopg.connect(sample) as one, psycopg.connect(database) as other:
        assert recount.checksum(one) == recount.checksum(other)


def test_another_seed_makes_other_rows(sample: str, database: str) -> None:
    build(database, scale=1, seed=2)
    with psycopg.connect(sample) as one, psycopg.connect(database) as other:
        assert recount.checksum(one) != recount.checksum(other)
        assert recount.constraints(one) == recount.constraints(other)


def test_it_grows_with_the_scale_and_tells_how_far_it_is(database: str) -> None:
    lines: list[str] = []
    build(database, scale=3, seed=1, progress=lines.append)
    with psycopg.connect(database) as connection:
        assert recount.number(connection, "SELECT count(*) FROM curated.games_complete") == 2_400
        assert recount.number(connection, "SELECT count(*) FROM reference.platforms") == 12
        assert not any(recount.drift(connection).values())
    assert "loading curated.games_complete: 0 of 2,400 rows" in lines


def test_memory_does_not_grow_with_the_scale() -> None:
    table = next(table for table in TABLES if table.name == "analytics.events")
    tracemalloc.start()
    try:
        deque(table.each(World(seed=1, scale=4)), maxlen=0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000  # bytes; 16,000 rows of five columns


def test_rows_can_be_added_by_the_sequences(sample: str) -> None:
    with psycopg.connect(sample) as connection:
        connection.execute(
            "INSERT INTO curated.releases (game_id, platform, released_on) VALUES (1, 'PC', now())"
        )


def test_a_build_that_fails_leaves_nothing(database: str) -> None:
    def stop(line: str) -> None:
        if "staging" in line and "loading" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(database, scale=1, seed=1, progress=stop)
    build(database, scale=1, seed=1)


def test_a_database_with_something_in_it_is_left_alone(database: str, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE public.mine (id int)")
    with pytest.raises(UsageError, match=r"empty database, and test_\w+ holds public\.mine"):
        build(database, scale=1, seed=1)
    assert recount.number(admin_conn, "SELECT count(*) FROM public.mine") == 0


def test_a_database_that_cannot_hold_the_names_is_refused(pg_server: Server) -> None:
    with psycopg.connect(pg_server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE sample_latin1 ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
        try:
            with pytest.raises(UsageError, match="UTF8, not LATIN1"):
                build(pg_server.dsn("sample_latin1"), scale=1, seed=1)
        finally:
            connection.execute("DROP DATABASE sample_latin1 WITH (FORCE)")


def test_a_scale_below_one_is_refused(database: str) -> None:
    with pytest.raises(UsageError, match="not 0"):
        build(database, scale=0, seed=1)


def test_no_server_is_one_line_without_the_password(database: str) -> None:
    with pytest.raises(TargetUnreachableError) as caught:
        build(make_conninfo(database, password="s3cret", port="1"), scale=1, seed=1)
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
