"""What the role holds, and what PostgreSQL leaves to everybody and so to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from tests.grants.refusing import refused

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.every_pg,
    pytest.mark.parametrize("role", ["pgvigil_{}"], indirect=True, ids=["plain"]),
]

PAGE = Path(__file__).parents[2] / "docs/howto/least-privilege.md"

LARGE_OBJECTS = ("SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, '')")
LEFT_TO_EVERYBODY = ("CREATE TEMPORARY TABLE mine ()", *LARGE_OBJECTS)
READ_ONLY_HOLDS_FOR_LARGE_OBJECTS = 160_000
TRAP = """
    CREATE SCHEMA trap;
    GRANT USAGE ON SCHEMA trap TO PUBLIC;
    CREATE TABLE trap.t ();
    CREATE FUNCTION trap.write() RETURNS void SECURITY DEFINER LANGUAGE sql
    AS 'INSERT INTO trap.t DEFAULT VALUES'
"""
HELD = """
    WITH held AS (
        SELECT acl.* FROM pg_class, aclexplode(relacl) AS acl
        UNION ALL SELECT acl.* FROM pg_attribute, aclexplode(attacl) AS acl
        UNION ALL SELECT acl.* FROM pg_namespace, aclexplode(nspacl) AS acl
        UNION ALL SELECT acl.* FROM pg_proc, aclexplode(proacl) AS acl
        UNION ALL SELECT acl.* FROM pg_type, aclexplode(typacl) AS acl
        UNION ALL SELECT acl.* FROM pg_database, aclexplode(datacl) AS acl
        UNION ALL SELECT acl.* FROM pg_default_acl, aclexplode(defaclacl) AS acl
    )
    SELECT array_agg(DISTINCT privilege_type), bool_or(is_grantable) FROM held WHERE grantee = %s::regrole
"""


@pytest.fixture
def database(database_from: Callable[[str, Callable[[str], None]], str]) -> str:
    """A database with a table."""

    def build(dsn: str) -> None:
        with psycopg.connect(dsn) as conn:
            conn.execute("CREATE TABLE games (id int PRIMARY KEY)")

    return database_from("grants_left_over", build)


def test_the_role_holds_no_more_than_it_is_said_to(
    admin_conn: psycopg.Connection, unlocked: psycopg.Connection, role: str
) -> None:
    held = admin_conn.execute(HELD, [sql.Identifier(role).as_string(admin_conn)]).fetchone()
    memberships = "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole"
    member_of = {row[0] for row in admin_conn.execute(memberships, [role])}
    # Either the tables one by one, or all by a role that is named in the script.
    assert (set(held[0]), member_of) in (
        ({"CONNECT", "USAGE", "SELECT"}, set()),
        ({"CONNECT"}, {"pg_read_all_data"}),
    )
    assert held[1] is False
    attributes = "rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
    query = f"SELECT {attributes} FROM pg_roles WHERE rolname = %s"
    assert admin_conn.execute(query, [role]).fetchone() == (False,)


def test_what_everybody_may_do_is_locked_and_can_be_closed(
    admin_conn: psycopg.Connection, unlocked: psycopg.Connection, role: str
) -> None:
    # Within the lock, which is all that pgvigil itself ever has, none of it goes, if PostgreSQL can tell.
    unlocked.execute("RESET default_transaction_read_only")
    old = unlocked.info.server_version < READ_ONLY_HOLDS_FOR_LARGE_OBJECTS
    for statement in LEFT_TO_EVERYBODY[: 1 if old else None]:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            unlocked.execute(statement)
    # Outside it all goes, as it does for everybody, until it is closed as the documentation says.
    unlocked.execute("SET default_transaction_read_only = off")
    for statement in LEFT_TO_EVERYBODY:
        with unlocked.transaction(force_rollback=True):
            unlocked.execute(statement)
    close, _ = re.findall(r"^```sql\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    admin_conn.execute(close.replace("ROLE pgvigil", f"ROLE {role}"))
    refused(unlocked, *map(sql.SQL, LEFT_TO_EVERYBODY))


def test_functions_that_run_as_somebody_else_are_found(
    admin_conn: psycopg.Connection, unlocked: psycopg.Connection, role: str
) -> None:
    admin_conn.execute(TRAP)
    unlocked.execute("SELECT trap.write()")
    _, listing = re.findall(r"^```sql\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    listed = admin_conn.execute(listing.replace("'pgvigil'", f"'{role}'")).fetchall()
    assert ("trap.write()", "postgres") in listed
