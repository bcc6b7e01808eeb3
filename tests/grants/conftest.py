"""Roles for tests: unique, since roles belong to a whole server, and dropped when the test is over."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgvigil.grants import grants
from pgvigil.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.catalog import Catalog, Scope


@pytest.fixture(params=["pgvigil_{}", "Wächter {} \"the 2nd\"; $pgvigil$ 'x' \\"])
def role(request: pytest.FixtureRequest, admin_conn: psycopg.Connection) -> Iterator[str]:
    """The name of a role that does not exist yet; the second of them is a strange one."""
    name = request.param.format(secrets.token_hex(4))
    yield name
    if admin_conn.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone():
        admin_conn.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))


@pytest.fixture
def login(admin_conn: psycopg.Connection, database: str) -> Callable[[str], str]:
    """`login(role)`: give the role a password; its DSN of `database`."""

    def login(role: str) -> str:
        password = secrets.token_hex(8)
        change = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
        admin_conn.execute(change)
        return make_conninfo(database, user=role, password=password)

    return login


@pytest.fixture
def catalog_of() -> Callable[..., Catalog]:
    """`catalog_of(dsn, scope)`: the catalog, as pgvigil reads it."""

    def catalog_of(dsn: str, scope: Scope | None = None) -> Catalog:
        target = Target("t", dsn)
        try:
            return target.read_catalog(scope)
        finally:
            target.close()

    return catalog_of


@pytest.fixture(params=[False, True], ids=["what is watched", "whole cluster"])
def unlocked(
    request: pytest.FixtureRequest,
    admin_conn: psycopg.Connection,
    database: str,
    role: str,
    login: Callable[[str], str],
    catalog_of: Callable[..., Catalog],
) -> Iterator[psycopg.Connection]:
    """A session of the role that has lifted its own lock: only privileges are left to stop it."""
    admin_conn.execute(grants(role, None if request.param else catalog_of(database)))
    with psycopg.connect(login(role), autocommit=True) as conn:
        conn.execute("SET default_transaction_read_only = off")
        yield conn
