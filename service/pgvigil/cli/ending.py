"""How a command ends: with an exit status, and never with a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer
from typer.core import TyperGroup

from pgvigil.cli.output import reader_may_leave
from pgvigil.errors import PgvigilError

P = ParamSpec("P")

INTERRUPTED = 130
UNEXPECTED = 3


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
            status = _complain(f"unexpected {type(error).__name__}: {error} (please report it)", UNEXPECTED)
        raise typer.Exit(status)

    return guarded


class OneLineGroup(TyperGroup):
    """Commands whose options' wrong values are told in one line, as every other error."""

    # Typer makes no contexts but its own; the type that the method is declared with is in a private module.
    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # narrower: see above
        """Run the command that is named."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            message = error.format_message().replace("Value error, ", "").rstrip(".")
            where = f" (see {error.ctx.command_path} -h)" if error.ctx else ""
            raise typer.Exit(_complain(f"{message[:1].lower()}{message[1:]}{where}", 2)) from None


def _complain(message: str, status: int) -> int:
    if os.environ.get("PGVIGIL_DEBUG"):
        traceback.print_exc()
    for line in message.splitlines():
        sys.stderr.write(f"pgvigil: {line}\n")
    return status
