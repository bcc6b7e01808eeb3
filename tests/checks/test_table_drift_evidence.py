"""The evidence of `table_drift` shows what its finding counted, in whatever session it is pasted into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from pgvigil_checks.table_drift import TableDrift
from pgvigil_checks.table_drift_settings import TableDriftParams
from tests.checks.evidence import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.checks.examining import Examiner

GIVEN = """
    CREATE TABLE l (at timestamptz, name varchar, n int, ats timestamptz);
    CREATE TABLE r (at timestamp, name varchar, n int, ats timestamp);
    INSERT INTO l VALUES
        ('2026-01-01 01:00+00', 'a', 1, '2026-01-01 00:00+00'), ('2026-01-02 01:00+00', 'b', 2, NULL),
        ('2026-01-03 01:00+00', 'c', 3, NULL), ('2026-01-03 20:00+00', 'd', 4, NULL);
    INSERT INTO r VALUES
        ('2026-01-01 01:00', 'a', 1, '2026-01-01 00:00'), ('2026-01-02 01:00', 'B', 2, '2026-01-02 00:00'),
        ('2026-01-05 01:00', 'c', 3, NULL), (NULL, 'c', 3, NULL), (NULL, 'd', NULL, NULL);
"""
# More exact matches than those of pg_catalog, which do something else.
SESSION = """
    CREATE SCHEMA shadow;
    CREATE FUNCTION shadow.never(varchar, varchar) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT false';
    CREATE OPERATOR shadow.= (FUNCTION = shadow.never, LEFTARG = varchar, RIGHTARG = varchar);
    CREATE FUNCTION shadow.lower(varchar) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'x' $$;
    CREATE FUNCTION shadow.num_nulls(timestamptz) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION shadow.num_nulls(date) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION shadow.num_nulls(varchar) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
    SET search_path = shadow, public;
    SET timezone = 'Asia/Tokyo';
    SET datestyle = 'German';
"""
KEYS: list[dict[str, str]] = [
    {"at": "at"},
    {"name": "name"},
    {"at::date": "at::date"},
    {"lower(name)": "name"},
]


@pytest.mark.every_pg
@pytest.mark.parametrize("key", KEYS, ids=str)
def test_no_session_changes_which_rows_are_shown(
    key: dict[str, str], database: str, examining: Examiner
) -> None:
    with psycopg.connect(database, autocommit=True, row_factory=dict_row) as conn:
        conn.execute(GIVEN)
        pair = {"left": "public.l", "right": "public.r", "key": key}
        check = TableDrift(TableDriftParams.model_validate({"pairs": [pair]}))
        findings = {finding.code: finding for finding in examining.examine(check).only.findings}
        assert "drift" in findings
        conn.execute(SESSION)
        for code, count in (("drift", copies), ("duplicate_keys", len), ("null_keys", len)):
            if code in findings:
                rows = shown(conn, findings[code].evidence_sql)
                assert count(rows) == findings[code].count
                assert told(rows) == told(findings[code].sample)
        # What the query sets ends with it.
        assert conn.execute("SHOW timezone").fetchall() == [{"TimeZone": "Asia/Tokyo"}]


def copies(rows: list[dict[str, Any]]) -> int:
    return sum(row["copies"] for row in rows)


def told(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what is said of each row beside its key, whose values are written as the session wants it."""
    return [(row.get("drift"), row.get("side")) for row in rows]
