"""Opening a store: new, of an earlier version, of a later one, and where there is none to be had."""

from __future__ import annotations

import sqlite3
import stat
import threading
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, make_url, text

from pgvigil.errors import StoreError
from pgvigil.store import Store
from pgvigil.store.codec import digest, row_of_incident
from pgvigil.store.schema import REVISION, incidents, metadata, subjects
from tests.databases import fresh_database
from tests.incident.life import Book, finding, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from pgvigil.embedded import Server

NEW_COLUMNS = {"digest"}
"""What incidents did not have in the first version."""


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def alembic(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "pgvigil.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def complaint(url: str) -> str:
    """Return the one line that opening the store ends with."""
    with pytest.raises(StoreError) as caught:
        Store.open(url, wait_seconds=2.0)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_new_store_has_exactly_the_tables_that_the_code_knows(url: str, connection: Connection) -> None:
    Store.open(url).close()
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    assert compare_metadata(context, metadata) == []
    assert context.get_current_revision() == REVISION


def test_migrations_run_in_the_order_of_their_names() -> None:
    chain = [script.revision for script in ScriptDirectory.from_config(alembic()).walk_revisions()][::-1]
    files = resources.files("pgvigil.store.migrations").joinpath("versions").iterdir()
    names = sorted(file.name for file in files if file.name[0].isdigit())
    assert [name.split("_")[0] for name in names] == chain
    assert chain[-1] == REVISION


@pytest.mark.every_pg
def test_a_store_of_the_first_version_is_brought_up_with_all_it_holds(
    url: str, connection: Connection
) -> None:
    command.upgrade(alembic(connection), "0001")
    subject = {"target": "games", "check": "orphan_rows", "name": "public.t", "state": "passed"}
    values = subject | {"digest": digest("public.t"), "violations": {"critical": 0}, "measures": {}}
    connection.execute(insert(subjects).values(values))
    connection.execute(text("INSERT INTO checks (target, name) VALUES ('games', 'orphan_rows')"))
    old = row_of_incident(Book().see(run(finding(), subject="public.t", minutes=-9)).incidents[0])
    known = {name: value for name, value in old.items() if name not in NEW_COLUMNS}
    connection.execute(insert(incidents).values(known))
    connection.commit()
    with Store.open(url) as store:
        assert [(one.name, one.state) for one in store.subjects()] == [("public.t", "passed")]
        assert store.lead()
        recorded = store.record(run(finding(), subject="public.t"))
        assert recorded.status.state == "failed"
        assert [(one.id, one.sightings) for one in recorded.incidents] == [(old["id"], 2)]


def test_a_store_that_was_closed_shows_the_same_when_it_is_opened_again(url: str) -> None:
    with Store.open(url) as store:
        store.record(run(finding(rows=3)))
        before = store.view()
    with Store.open(url) as store:
        assert store.view() == before
        assert len(before.incidents) == 1


def test_a_store_of_a_later_version_is_left_alone(url: str, connection: Connection) -> None:
    Store.open(url).close()
    connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    connection.commit()
    message = complaint(url)
    assert "'9999' is newer" in message
    assert "upgrade pgvigil" in message


def test_many_may_open_a_new_store_at_once(url: str) -> None:
    ready = threading.Barrier(4)
    stores: list[Store] = []

    def open_it() -> None:
        ready.wait()
        stores.append(Store.open(url))

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == 4
    for number, store in enumerate(stores):
        store.record(run(subject=f"public.t{number}"))
    assert len(stores[0].subjects()) == 4
    for store in stores:
        store.close()


def test_only_its_owner_may_read_a_new_file(sqlite_url: str, tmp_path: Path) -> None:
    with Store.open(sqlite_url) as store:
        store.lead()
        store.record(run())
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) & 0o077 for file in tmp_path.glob("*.db*")}
        del modes["pgvigil.db.lock"]
        assert modes == {"pgvigil.db": 0, "pgvigil.db-wal": 0, "pgvigil.db-shm": 0}


@pytest.mark.parametrize(
    "url", ["", "pgvigil.db", "mysql://host/db", "sqlite+aiosqlite:///x.db", "postgresql://host:port/db"]
)
def test_a_url_that_is_none_of_ours_is_answered_with_an_example(url: str) -> None:
    assert "write sqlite:///pgvigil.db or postgresql+psycopg://" in complaint(url)


def test_a_directory_that_does_not_exist(tmp_path: Path) -> None:
    message = complaint(f"sqlite:///{tmp_path}/nowhere/pgvigil.db")
    assert f"{tmp_path}/nowhere/pgvigil.db" in message
    assert "check that its directory exists and is writable" in message


def test_a_directory_instead_of_a_file(tmp_path: Path) -> None:
    assert "unable to open database file" in complaint(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Dear diary, today I wrote something that is no database. " * 20)
    message = complaint(f"sqlite:///{tmp_path}/notes.txt")
    assert "file is not a database" in message
    assert "point `state` elsewhere" in message
    assert (tmp_path / "notes.txt").read_text().startswith("Dear diary")


def test_a_database_that_is_somebody_elses(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE runs (marathon text)")
    other.close()
    assert "runs already exists" in complaint(f"sqlite:///{tmp_path}/other.db")


def test_a_file_that_somebody_keeps_locked(sqlite_url: str, tmp_path: Path) -> None:
    Store.open(sqlite_url).close()
    with Store.open(sqlite_url, wait_seconds=0.1) as store:
        other = sqlite3.connect(tmp_path / "pgvigil.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process keeps it locked"):
            store.record(run(finding()))
        other.execute("ROLLBACK")
        other.close()
        assert store.record(run(finding())).run_id == 1


def test_a_server_that_does_not_answer() -> None:
    message = complaint("postgresql+psycopg://ada:secret@127.0.0.1:1/state")
    assert "check that its server runs" in message
    assert "127.0.0.1" in message
    assert "secret" not in message


def test_a_password_that_is_wrong(postgres_url: str) -> None:
    wrong = make_url(postgres_url).set(password="hunter2")
    message = complaint(wrong.render_as_string(hide_password=False))
    assert "password authentication failed" in message
    assert "hunter2" not in message


def test_a_database_that_does_not_exist(postgres_url: str) -> None:
    nowhere = make_url(postgres_url).set(database="nowhere")
    message = complaint(nowhere.render_as_string(hide_password=False))
    assert 'database "nowhere" does not exist' in message


@pytest.mark.parametrize("encoding", ["LATIN1", "WIN1252", "EUC_JP"])
def test_a_database_that_lacks_characters_is_refused_before_it_refuses_a_result(
    pg_server: Server, encoding: str
) -> None:
    with (
        fresh_database(pg_server, encoding=encoding) as dsn,
        pytest.raises(
            StoreError, match=f"the encoding {encoding}, which lacks characters .* ENCODING 'UTF8'"
        ),
    ):
        Store.open(dsn.replace("postgresql://", "postgresql+psycopg://", 1))
