"""Orphans whose keys do not come back as they were, once they have been text on the client."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.check import Outcome
from tests.checks.test_orphan_rows_walk import Walker, walker
from tests.databases import careless, fresh_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.embedded import Server

pytestmark = pytest.mark.every_pg

SUBJECT = "public.child(code) -> public.parent(code)"
# The form of № in EUC_JP that is never written for a client's №.
NUMERO = r"convert_from('\x8fa2f1', 'EUC_JP')"


@contextmanager
def walked(server: Server, encoding: str, given: str) -> Iterator[Walker]:
    with fresh_database(server, encoding=encoding) as dsn:
        with psycopg.connect(dsn) if encoding != "UTF8" else careless(dsn) as conn:
            conn.execute("SET session_replication_role = replica")
            conn.execute(given.encode())
            conn.execute("ANALYZE")
        with walker(dsn) as walking:
            yield walking


def test_references_that_come_back_otherwise_are_not_walked_along(pg_server: Server) -> None:
    given = f"""
        CREATE TABLE parent (code text PRIMARY KEY);
        CREATE TABLE child (n int PRIMARY KEY, code text REFERENCES parent);
        CREATE INDEX ON child (code);
        INSERT INTO parent SELECT 'p' || n FROM generate_series(1, 50) AS n;
        INSERT INTO child SELECT n, 'p' || n FROM generate_series(1, 50) AS n;
        INSERT INTO child SELECT 100 + n, {NUMERO} || n FROM generate_series(1, 30) AS n;
    """
    with walked(pg_server, "EUC_JP", given) as walking:
        run = walking.run(SUBJECT)
    assert (run.outcome, run.strategy) == (Outcome.FAIL, "walk_key"), run.error
    assert run.findings[0].count == 30
    assert len(run.findings[0].sample) == 5


def test_a_key_that_comes_back_otherwise_is_not_walked_along(pg_server: Server) -> None:
    given = f"""
        CREATE TABLE parent (code int PRIMARY KEY);
        CREATE TABLE child (k text PRIMARY KEY, code int REFERENCES parent);
        INSERT INTO parent SELECT generate_series(1, 50);
        INSERT INTO child SELECT {NUMERO} || n, n FROM generate_series(1, 50) AS n;
        INSERT INTO child SELECT {NUMERO} || n, n FROM generate_series(101, 130) AS n;
    """
    with walked(pg_server, "EUC_JP", given) as walking:
        run = walking.run(SUBJECT)
        assert not walking.states
    assert (run.outcome, run.findings[0].count) == (Outcome.FAIL, 30), run.error


@pytest.mark.parametrize("key", ["a", "a, b"])
def test_the_bytes_of_a_char_are_not_walked_along(pg_server: Server, key: str) -> None:
    """They are sent as no text is, and a walk behind one of them would begin anew, for ever."""
    given = f"""
        CREATE TABLE parent (code int PRIMARY KEY);
        CREATE TABLE child (a "char", b int DEFAULT 1, code int REFERENCES parent, PRIMARY KEY ({key}));
        INSERT INTO child (a, code) SELECT (n - 128)::"char", n FROM generate_series(0, 250, 9) AS n;
    """
    with walked(pg_server, "LATIN1", given) as walking:
        run = walking.run(SUBJECT)
        assert not walking.states
    assert (run.outcome, run.findings[0].count) == (Outcome.FAIL, 28), run.error


def test_a_walk_is_given_up_at_a_damaged_place(pg_server: Server) -> None:
    r"""Bytes that are no text sort before U+FFFD, which is what stands for them: rows would be passed by."""
    given = r"""
        CREATE TABLE parent (code int PRIMARY KEY);
        CREATE TABLE child (k text PRIMARY KEY, code int REFERENCES parent);
        INSERT INTO parent SELECT generate_series(1, 50);
        INSERT INTO child SELECT 'a' || n, 1 FROM generate_series(1, 40) AS n;
        INSERT INTO child SELECT E'a\xe9' || n, 1 FROM generate_series(100, 140) AS n;
        INSERT INTO child SELECT E'a\xe9' || n, 1000 + n FROM generate_series(141, 170) AS n;
        INSERT INTO child SELECT E'a\xe9' || n, 1 FROM generate_series(171, 200) AS n;
    """
    with walked(pg_server, "UTF8", given) as walking:
        run = walking.run(SUBJECT)
        resumed = walking.states[-1]
        again = walking.run(SUBJECT, resumed=resumed)
        assert all(one == resumed for one in walking.states)
    for one in (run, again):
        assert (one.outcome, one.findings[0].count) == (Outcome.FAIL, 30), one.error
        assert one.strategy not in ("walk_key", "walk_values")


def test_orphans_that_are_known_by_damaged_text_are_not_looked_for_again(pg_server: Server) -> None:
    given = r"""
        CREATE TABLE parent (code text PRIMARY KEY);
        CREATE TABLE child (n int PRIMARY KEY, code text REFERENCES parent);
        CREATE INDEX ON child (code);
        INSERT INTO parent SELECT 'p' || n FROM generate_series(1, 50) AS n;
        INSERT INTO child SELECT n, 'p' || n FROM generate_series(1, 50) AS n;
        INSERT INTO child SELECT 100 + n, E'caf\xe9' || n FROM generate_series(1, 3) AS n;
    """
    with walked(pg_server, "UTF8", given) as walking:
        run = walking.run(SUBJECT)
    assert (run.outcome, run.findings[0].count) == (Outcome.FAIL, 3), run.error
    assert len(run.findings[0].sample) == 3
