"""Turns psycopg's errors into one line of ours, without secrets or row contents."""

from __future__ import annotations

import re

import psycopg

from pgvigil.errors import (
    LockTimeoutError,
    QueryFailedError,
    QueryTimeoutError,
    RecoveryConflictError,
    TargetError,
    TargetUnreachableError,
)

QUERY_CANCELED = "57014"
_NOT_ALLOWED = "42501"
_LOCK_NOT_AVAILABLE = "55P03"
# A standby's conflict with replay: the statement is cancelled, the session is ended (also with 40001), or the
# deadlock detector is called in (which on a primary means somebody's ALTER TABLE).
_RECOVERY_CONFLICTS = {"40001", "40P01"}
# Connection exceptions, too many connections, server shutting down / crashed / starting up.
_UNREACHABLE = re.compile(r"08|53300|57P0")
_DATA_EXCEPTION = "22"
# From the first quotation mark to the last, in all languages of the server: the data may hold some too.
_QUOTED = re.compile(r'["«»„“”「].*["«»“”」]', re.DOTALL)
# libpq has no code for it, and no translation.
_NO_PASSWORD = "no password supplied"
_WHERE_PASSWORDS_ARE = (
    "put it into ~/.pgpass or PGPASSWORD, or into the DSN by `!env` or `!file` in the configuration"
)
# How psycopg introduces what libpq says.
_INTRODUCTION = re.compile(r"connection (?:failed|is bad): ")


def one_line(error: psycopg.Error) -> str:
    """Return the server's own message as one line; of an error about data without the data."""
    text = error.diag.message_primary or str(error) or type(error).__name__
    if (error.sqlstate or "").startswith(_DATA_EXCEPTION):
        text = _QUOTED.sub('"…"', text)
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def unreachable(label: str, error: psycopg.Error) -> TargetUnreachableError:
    """Describe why no session could be had; `label` is what the server is called."""
    text = _INTRODUCTION.sub("", one_line(error))
    if _NO_PASSWORD in text:
        text += f" ({_WHERE_PASSWORDS_ARE})"
    return TargetUnreachableError(f"{label}: cannot connect: {text}")


def query_error(label: str, error: psycopg.Error, *, statement_timeout: float, lost: bool) -> TargetError:
    """Describe why a query failed; `lost` says that its connection is gone."""
    state = error.sqlstate or ""
    text = one_line(error)
    if state in _RECOVERY_CONFLICTS:
        return RecoveryConflictError(f"{label}: {text} (may succeed when tried again)", sqlstate=state)
    if lost or _UNREACHABLE.match(state):
        return TargetUnreachableError(f"{label}: connection lost: {text}")
    if state == _LOCK_NOT_AVAILABLE:
        return LockTimeoutError(f"{text} (another session holds the lock)", sqlstate=state)
    if state == QUERY_CANCELED:
        return QueryTimeoutError(f"{text} (statement_timeout is {statement_timeout:g} s)", sqlstate=state)
    text = f"{text} (SQLSTATE {state or 'unknown'})"
    if state == _NOT_ALLOWED:
        text += ": have an administrator run the SQL of `pgvigil grants`"
    return QueryFailedError(text, sqlstate=state or None)
