"""`pgvigil run`: the daemon as a process, from its first signal handler to its last log line."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from pgvigil import logs
from pgvigil.app import Daemon
from pgvigil.config import Config
from pgvigil.errors import StoreError
from pgvigil.registry import Registry

_FORCED = 130

log = structlog.get_logger(__name__)


def run(config: Config) -> int:
    """Watch until SIGTERM or SIGINT; return 0 then, and raise PgvigilError when it cannot go on."""
    logs.configure(config.log.level, config.log.format)
    daemon = Daemon(config, Registry.load())
    with stopped_by_signals(daemon):
        daemon.start()
        sys.stderr.write(f"pgvigil: console and metrics at {daemon.address}\n")
        try:
            daemon.wait()
        finally:
            daemon.stop()
    if daemon.failure:
        raise StoreError(daemon.failure)
    return 0


@contextmanager
def stopped_by_signals(daemon: Daemon) -> Iterator[None]:
    """Stop the daemon in order on the first SIGTERM or SIGINT; a second SIGINT ends the process at once.

    SIGHUP, which a terminal that is closed sends as well, ends nothing.
    """

    def stop(signum: int, _frame: FrameType | None) -> None:
        if signum == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        daemon.request_stop()

    def ignore(_signum: int, _frame: FrameType | None) -> None:
        log.warning("SIGHUP is ignored: a changed configuration takes effect with a restart")

    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: ignore}
    before = {one: signal.signal(one, handler) for one, handler in handlers.items()}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
