"""Fixtures for the tests of the built-in checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.checks.examining import Examiner, examiner
from tests.databases import fresh_database
from tests.servers import versions_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.embedded import Server

DROP_ALL = """
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$' LOOP
            EXECUTE format('DROP SCHEMA %I CASCADE', name);
        END LOOP;
        CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;
        EXECUTE format('ALTER DATABASE %I RESET ALL', current_database());
    END $$
"""


@pytest.fixture
def examining(database: str) -> Iterator[Examiner]:
    """An examiner of `database`, for tests that run a check again and again."""
    examining = examiner(database)
    yield examining
    examining.target.close()


@pytest.fixture(scope="session")
def reused_database(pg_server: Server) -> Iterator[str]:
    """One database for all tests of a process that leave it as they found it."""
    with fresh_database(pg_server) as dsn:
        yield dsn


@pytest.fixture
def emptied_database(reused_database: str) -> Iterator[str]:
    """An empty database, sooner there than a new one: schemas and settings go after the test."""
    yield reused_database
    with psycopg.connect(reused_database, autocommit=True) as conn:
        conn.execute(DROP_ALL)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the server versions that the markers of a single case don't fit."""
    unfit = [item for item in items if not _fits(item)]
    if unfit:
        config.hook.pytest_deselected(items=unfit)
        items[:] = [item for item in items if item not in unfit]


def _fits(item: pytest.Item) -> bool:
    parameters = (
        item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    )
    version = parameters.get("pg_version")
    return version is None or version in versions_for(item.iter_markers())
