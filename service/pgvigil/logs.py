"""Logs: JSON lines in production, key=value on a terminal; always on stderr, stdout belongs to results.

structlog, with rich and asyncio behind it, is loaded when the first line is written: most commands have none.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from structlog.typing import Processor

Format = Literal["auto", "json", "text"]


class Logger:
    """Writes lines under a name: an event, and what belongs to it as fields."""

    def __init__(self, name: str) -> None:
        self._name = name

    def info(self, event: str, **fields: object) -> None:
        """Tell what happened as it should."""
        self.log(logging.INFO, event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Tell what somebody may want to change."""
        self.log(logging.WARNING, event, **fields)

    def error(self, event: str, **fields: object) -> None:
        """Tell what did not work."""
        self.log(logging.ERROR, event, **fields)

    def exception(self, event: str, **fields: object) -> None:
        """Tell what did not work, with the traceback of the exception that is being handled."""
        self.log(logging.ERROR, event, exc_info=True, **fields)

    def log(self, level: int, event: str, **fields: object) -> None:
        """Tell something, as serious as a level of the standard library's logging says."""
        _SET_UP.begin()
        import structlog  # noqa: PLC0415 -- with the first line

        structlog.get_logger(self._name).log(level, event, **fields)


def get_logger(name: str) -> Logger:
    """Return what writes under a module's name."""
    return Logger(name)


def configure(level: str = "info", form: Format = "auto") -> None:
    """Set up structlog and the standard library's logging alike. `auto` is text on a terminal, else JSON."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    _SET_UP.want(level)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(text=text))
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


def settle() -> None:
    """Set structlog up now if it is loaded: by a plugin, which may write lines with it itself."""
    if "structlog" in sys.modules:
        _SET_UP.begin()


class _SetUp:
    """How structlog is to be set up, once it is loaded. Safe for several threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._level: str | None = None

    def want(self, level: str) -> None:
        """Have it set up so from now on."""
        self._level = level
        settle()

    def begin(self) -> None:
        """Load and set it up, unless it is so already."""
        if self._level is None:
            return
        with self._guard:
            if self._level is not None:
                self._apply(self._level)
                # Nobody may write a line before.
                self._level = None

    def _apply(self, level: str) -> None:
        import structlog  # noqa: PLC0415 -- with the first line

        structlog.configure(
            processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            wrapper_class=structlog.make_filtering_bound_logger(level),
            logger_factory=structlog.stdlib.LoggerFactory(),
            # A reload may set another level.
            cache_logger_on_first_use=False,
        )


_SET_UP = _SetUp()


class _Formatter(logging.Formatter):
    """Writes a line of ours, or of a library's, the same way."""

    def __init__(self, *, text: bool) -> None:
        super().__init__()
        self._text = text
        self._formatter: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        if self._formatter is None:
            import structlog  # noqa: PLC0415 -- with the first line

            self._formatter = structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=_shared(),
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *_rendering(text=self._text),
                ],
            )
        return self._formatter.format(record)


def _shared() -> list[Processor]:
    import structlog  # noqa: PLC0415 -- with the first line

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _rendering(*, text: bool) -> list[Processor]:
    import structlog  # noqa: PLC0415 -- with the first line

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
