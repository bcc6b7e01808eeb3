"""Expressions as keys: what is taken for one, and what keeps the rest away from the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from pgvigil.errors import QueryFailedError
from pgvigil_checks.table_drift_expression import flaw
from pgvigil_checks.table_drift_query import at_most

if TYPE_CHECKING:
    from tests.checks.examining import Examiner

EXPRESSIONS = [
    "lower(slug)",
    "id::text",
    "coalesce(a, b) || '-' || \"C d\"",
    "tags[1]",
    "(meta ->> 'id')::bigint",
    "date_trunc('day', at AT TIME ZONE 'UTC')",
    "regexp_replace(slug, '[^a-z);--]', '', 'g')",
    "CASE WHEN a > 1.5e3 THEN b ELSE 'it''s' END",
    "public.unaccent(name)",
]
NO_EXPRESSIONS = [
    "",
    "  ",
    "lower(slug",
    "lower(slug))",
    "(a]",
    "a, b",
    "1) FROM t; COMMIT; DROP TABLE l; --",
    "1; SELECT 1",
    "a -- b",
    "a /* b */",
    "(SELECT 1)",
    "(VALUES (1))",
    "(TABLE l)",
    "(WITH x AS (DELETE FROM l) 1)",
    "'open",
    '"open',
    r"E'\'); DROP TABLE l; --'",
    "U&'d'",
    "$$x$$",
    "$1",
    r"a \ b",
    "a\0",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions_are_taken(text: str) -> None:
    assert flaw(text) is None


@pytest.mark.parametrize("text", NO_EXPRESSIONS)
def test_what_reaches_beyond_the_row_is_refused(text: str) -> None:
    assert flaw(text)


def test_the_session_takes_one_statement_even_if_one_got_through(database: str, examining: Examiner) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE l (id int)")
        stacked = at_most(sql.SQL("SELECT 1; COMMIT; DROP TABLE l; SELECT 1"), 1)
        with (
            examining.target.snapshot() as snapshot,
            pytest.raises(QueryFailedError, match="multiple commands"),
        ):
            snapshot.fetch(stacked)
        assert conn.execute("SELECT to_regclass('l')").fetchone() != (None,)
