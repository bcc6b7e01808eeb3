"""A schema is made once, then restored with its rows, and loses its keys in a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from evaluation.databases import Databases, catalog_of
from evaluation.sources import Source
from evaluation.workshop import NotMadeError, Workshop

from tests.servers import by_version

if TYPE_CHECKING:
    from pathlib import Path

    from pgvigil.embedded import Server

pytestmark = pytest.mark.contrib  # the system's server has pg_dump, too

GIVEN = """
    CREATE TABLE evaluated (id serial PRIMARY KEY, name text UNIQUE);
    CREATE TABLE referring (id serial PRIMARY KEY, evaluated_id int REFERENCES evaluated);
    CREATE INDEX referring_evaluated ON referring (evaluated_id);
"""


@pytest.fixture
def databases(
    pg_server: Server, pg_version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Databases:
    monkeypatch.setenv("PGVIGIL_EVALUATION", str(tmp_path))
    return Databases(pg_server, by_version()[pg_version].bindir)


def source(name: str, made: list[str]) -> Source:
    def make(workshop: Workshop) -> None:
        made.append(name)
        file = workshop.folder / "given.sql"
        file.write_text(GIVEN, encoding="utf-8")
        workshop.sql(file)

    return Source(name, "software", "its SQL file", make)


def test_it_is_made_and_filled_once_and_restored_from_then_on(databases: Databases) -> None:
    made: list[str] = []
    first = databases.filled(source("eval-once", made)).filled
    again = databases.filled(source("eval-once", made))
    assert made == ["eval-once"]
    assert again.filled == first
    with psycopg.connect(again.dsn) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM evaluated) + (SELECT count(*) FROM referring)"
        ).fetchone()
    assert row == (first.rows,)


def test_copies_lack_the_keys_and_on_request_the_indexes_for_them(databases: Databases) -> None:
    one = source("eval-keys", [])
    catalog = catalog_of(databases.filled(one).dsn)
    bare = catalog_of(databases.without_keys(one, catalog))
    unindexed = catalog_of(databases.without_keys(one, catalog, indexes=False))
    assert [len(found.foreign_keys) for found in (catalog, bare, unindexed)] == [1, 0, 0]
    kept = [{index.name for table in found.tables for index in table.indexes} for found in (bare, unindexed)]
    assert kept[0] - kept[1] == {"referring_evaluated"}


def test_what_cannot_be_made_says_why(databases: Databases) -> None:
    def fail(workshop: Workshop) -> None:
        file = workshop.folder / "wrong.sql"
        file.write_text("CREATE TABLE t (x no_such_type)", encoding="utf-8")
        workshop.sql(file)

    with pytest.raises(NotMadeError, match="no_such_type"):
        databases.filled(Source("eval-wrong", "software", "its SQL file", fail))
