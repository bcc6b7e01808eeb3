"""Logs: JSON lines in production, key=value on a terminal; always on stderr, stdout belongs to results."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

Format = Literal["auto", "json", "text"]


def configure(level: str = "info", form: Format = "auto") -> None:
    """Set up structlog and the standard library's logging alike. `auto` is text on a terminal, else JSON."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        # A reload may set another level.
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(text),
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Their own chatter says nothing to an operator that ours does not.
    for name in ("uvicorn", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Without a free file descriptor it complains thousands of times a second.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    # What it ignores when it gives up a connection that failed is told by the error that it failed with.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    # It warns of every tick that was due while the one before it still ran; that is counted.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _rendering(text: bool) -> list[structlog.typing.Processor]:
    if text:
        return [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                pad_event_to=0,
                # The default one shows local variables: row contents, passwords.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
