"""Every error that pgvigil raises on purpose.

A message is one line that a person can act on: what went wrong, where, and what to do. It never holds a
password or row contents. The exit status of the commands is a property of the error.
"""

from __future__ import annotations

from collections.abc import Sequence


class PgvigilError(Exception):
    """Base of all. `exit_status` is what a command that ends with this error exits with."""

    exit_status = 3


class UsageError(PgvigilError):
    """The command line asks for something that cannot be."""

    exit_status = 2


class ConfigError(PgvigilError):
    """The configuration is wrong. Carries the file, line and path of the setting when they are known."""

    exit_status = 2

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, path: str | None = None
    ) -> None:
        self.message = message
        self.file = file
        self.line = line
        self.path = path
        where = ":".join(str(part) for part in (file, line) if part is not None)
        super().__init__(": ".join(part for part in (where, path, message) if part))


class ConfigErrors(ConfigError):  # noqa: N818 - it is several of them
    """All that is wrong with a configuration: `errors`, in the order of the file, one line each."""

    _MOST_LINES = 20

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        first = errors[0]
        super().__init__(first.message, file=first.file, line=first.line, path=first.path)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        lines = [str(error) for error in self.errors[: self._MOST_LINES]]
        more = len(self.errors) - len(lines)
        return "\n".join((*lines, f"… and {more} more" if more else "")).rstrip("\n")


class PluginError(PgvigilError):
    """An installed check cannot be used; names the distribution it came from."""

    exit_status = 2


class StoreError(PgvigilError):
    """The state store cannot be read or written."""


class UnfitError(StoreError):
    """What was to be written or read is nothing that the store can hold or this version understands."""


class NotLeaderError(StoreError):
    """Another daemon leads on the store: it records, this one must not."""


class SupersededError(PgvigilError):
    """What was to be recorded is of a configuration that is no longer in force."""


class TargetError(PgvigilError):
    """The target could not be asked. No statement about its data follows from it."""


class TargetUnreachableError(TargetError):
    """No session could be had: network, authentication, too many connections, server starting or stopping."""


class QueryFailedError(TargetError):
    """The server refused or broke off a query, for a reason in `sqlstate`."""

    def __init__(self, message: str, *, sqlstate: str | None = None) -> None:
        self.sqlstate = sqlstate
        super().__init__(message)


class QueryTimeoutError(QueryFailedError):
    """A statement or lock timeout of the budget was reached."""


class LockTimeoutError(QueryTimeoutError):
    """The lock timeout of the budget was reached: somebody changes a table."""


class RecoveryConflictError(QueryFailedError):
    """A standby broke the query off to go on replaying; it may be tried again."""


class BusyError(TargetError):
    """All sessions of the budget are at work, and whoever asked for one would not wait."""


class StandbyError(TargetError):
    """What is to be read instead of its primary is no standby of it, or behind: nothing was read from it."""


class ChangedError(TargetError):
    """A table was changed so that what a snapshot showed of it says nothing; names the table."""


class PeerError(TargetError):
    """Another target, with which the run compares, could not be asked; its own may be well."""


class CancelledError(TargetError):
    """The run was cancelled: pgvigil is shutting down."""


class BrokenOffError(CancelledError):
    """The sweep may not go on at this time of day; it will, from where it is, when it may again."""


class EmbeddedError(PgvigilError):
    """The embedded PostgreSQL server could not be found or started."""
