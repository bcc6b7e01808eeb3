"""Where a server's WAL does not tell of all that is written, no position is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.position import read_position

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from pgvigil.target import Target

# What is there on a server of that kind, and on no other one.
MARKS = {
    "Aurora": "CREATE FUNCTION pg_catalog.aurora_version() RETURNS text LANGUAGE sql AS $$SELECT '1'$$",
    "YugabyteDB": "CREATE FUNCTION pg_catalog.yb_servers() RETURNS text LANGUAGE sql AS $$SELECT '1'$$",
    "Citus": "SET allow_system_table_mods = on; CREATE TABLE pg_catalog.pg_dist_partition ()",
}


@pytest.mark.every_pg
@pytest.mark.parametrize("kind", MARKS)
def test_a_server_whose_wal_is_not_all_has_no_position(
    open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection, kind: str
) -> None:
    target = open_target(database)
    assert read_position(target) is not None
    admin_conn.execute(MARKS[kind])  # type: ignore[call-overload]
    assert read_position(target) is None
