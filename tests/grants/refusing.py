"""Statements that the role is refused."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql


def refused(conn: psycopg.Connection, *statements: sql.Composable) -> None:
    """Try each statement; all must fail for want of a privilege, and change nothing."""
    for statement in statements:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement)
