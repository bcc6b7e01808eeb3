"""How a command ends: with an exit status, and never with a traceback."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

import typer
from typer.core import TyperGroup

from pgvigil.cli.output import reader_may_leave
from pgvigil.errors import PgvigilError

P = ParamSpec("P")

INTERRUPTED = 130
UNEXPECTED = 3

# Whatever is written to, no more fits in: that is nothing to report.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def one_line_errors(command: Callable[P, int | None]) -> Callable[P, None]:
    """Turn the end of a command into an exit status, and an error into one line on stderr, never a traceback.

    PGVIGIL_DEBUG=1 shows the traceback of an error.
    """

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        status = 0
        try:
            with reader_may_leave():
                status = command(*args, **kwargs) or 0
        except PgvigilError as error:
            status = _complain(str(error), error.exit_status)
        except KeyboardInterrupt:
            status = INTERRUPTED
        except Exception as error:  # noqa: BLE001 -- nobody may ever see a traceback
            status = _complain(_unforeseen(error), UNEXPECTED)
        raise typer.Exit(status)

    return guarded


def _unforeseen(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in _FULL:
        return f"what is to be told cannot be written: {error.strerror}"
    return f"unexpected {type(error).__name__}: {error} (please report it)"


class OneLineGroup(TyperGroup):
    """Commands whose wrong usage is told in one line, as every other error."""

    # Typer makes no contexts but its own; the type that the methods are declared with is in a private module.
    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the options that stand before the command."""
        with _in_one_line():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # narrower: see above
        """Run the command that is named."""
        with _in_one_line():
            return super().invoke(ctx)


@contextmanager
def _in_one_line() -> Iterator[None]:
    try:
        yield
    except typer.TyperException as error:
        message = error.format_message().replace("Value error, ", "").rstrip(".")
        if "\n" in message and not isinstance(error, typer.BadParameter):
            # The help, for want of a command.
            raise
        context = getattr(error, "ctx", None)
        where = f" (see {context.command_path} -h)" if context else ""
        raise typer.Exit(_complain(f"{message[:1].lower()}{message[1:]}{where}", 2)) from None
    except OSError as error:
        # The help is written outside of all commands. Of a reader who went away Typer knows itself.
        if error.errno not in _FULL:
            raise
        raise typer.Exit(_complain(_unforeseen(error), UNEXPECTED)) from None


def _complain(message: str, status: int) -> int:
    if os.environ.get("PGVIGIL_DEBUG"):
        traceback.print_exc()
    for line in message.splitlines():
        sys.stderr.write(f"pgvigil: {line}\n")
    return status
