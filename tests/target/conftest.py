"""Targets that are closed at the end, and people who get in their way."""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from pgvigil.target import Limits, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 20.0


@pytest.fixture
def open_target() -> Iterator[Callable[..., Target]]:
    """`open_target(dsn, **limits)`: a target that is closed when the test ends."""
    targets: list[Target] = []

    def opened(dsn: str, **limits: Any) -> Target:
        targets.append(Target("games", dsn, Limits(**limits)))
        return targets[-1]

    yield opened
    for target in targets:
        target.close()


@pytest.fixture
def target(open_target: Callable[..., Target], database: str) -> Target:
    """A target on the test's database, with short timeouts."""
    return open_target(database, statement_timeout=10.0, lock_timeout=0.2)


class Background(threading.Thread):
    """A function on a thread of its own; `outcome` waits for what it returned or raised."""

    def __init__(self, function: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._function = function
        self._outcome: object = None
        self.start()

    def run(self) -> None:
        try:
            self._outcome = self._function()
        except Exception as error:  # noqa: BLE001 - handed to the test
            self._outcome = error

    def outcome(self) -> object:
        self.join(PATIENCE)
        assert not self.is_alive(), "it still hangs"
        return self._outcome


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def running(admin: psycopg.Connection, purpose: str) -> list[int]:
    """Return the server's processes that run a query of pgvigil with this purpose, in this database alone."""
    query = (
        "SELECT pid FROM pg_stat_activity "
        "WHERE state = 'active' AND application_name = %s AND datname = current_database()"
    )
    return [pid for (pid,) in admin.execute(query, [f"pgvigil {purpose}"])]


@pytest.fixture
def reader(admin_conn: psycopg.Connection) -> Iterator[str]:
    """A role without privileges that logs in with `its password`."""
    name = f"reader_{secrets.token_hex(6)}"
    role = sql.Identifier(name)
    admin_conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'its password'").format(role))
    yield name
    admin_conn.execute(sql.SQL("DROP OWNED BY {}").format(role))
    admin_conn.execute(sql.SQL("DROP ROLE {}").format(role))
