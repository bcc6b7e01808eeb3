"""`pgvigil run`: the daemon as a process, from its first signal handler to its last log line."""

from __future__ import annotations

import gc
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from pgvigil import logs, systemd
from pgvigil.app import Daemon
from pgvigil.config import Config
from pgvigil.errors import StoreError
from pgvigil.logs import get_logger
from pgvigil.registry import Registry

# Objects that came and have not gone: more than a thousand runs and all that is made of them.
_RECORDS_BETWEEN = 50_000

log = get_logger(__name__)


def run(read: Callable[[], Config]) -> int:
    """Watch until SIGTERM or SIGINT; return 0 then, and raise PgvigilError when it cannot go on.

    `read` gives the configuration, at the start and on SIGHUP.
    """
    config = read()
    logs.configure(config.log.level, config.log.format)
    _allow_many_files()
    daemon = Daemon(config, Registry.load(), reread=read)
    with stopped_by_signals(daemon):
        daemon.start()
        collect_seldom()
        _tell_address(daemon.address)
        systemd.notify(systemd.State.READY, status=f"console and metrics at {daemon.address}")
        try:
            daemon.wait(_sign_of_life(daemon))
        finally:
            systemd.notify(systemd.State.STOPPING)
            daemon.stop()
    if daemon.failure:
        raise StoreError(daemon.failure)
    return 0


def _tell_address(url: str) -> None:
    """Say where the console is: to a person in words, to a collector of logs as an event."""
    if sys.stderr.isatty():
        sys.stderr.write(f"pgvigil: console and metrics at {url}\n")
    else:
        log.info("console and metrics", url=url)


def _sign_of_life(daemon: Daemon) -> Callable[[], None]:
    """Return what tells systemd, when it asks for it, that the daemon still does its work."""
    asked = systemd.watchdog_seconds()
    if asked is None:
        return lambda: None
    due = time.monotonic()

    def turn() -> None:
        nonlocal due
        if time.monotonic() >= due and daemon.alive:
            due = time.monotonic() + asked / 3
            systemd.notify(systemd.State.WATCHDOG)

    return turn


def _allow_many_files() -> None:
    """Raise the soft limit of open files to the hard one: idle HTTP clients must not starve the daemon."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def collect_seldom() -> None:
    """Let Python look for cycles seldom, and never among what is there by now: modules, the view.

    A sweep makes records by the thousand, none of which is in a cycle. Walking over them again and again took
    a third of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_RECORDS_BETWEEN, 10, 10)


@contextmanager
def stopped_by_signals(daemon: Daemon, *, on_hangup: bool = False) -> Iterator[None]:
    """Stop the daemon in order on the first SIGTERM or SIGINT; a second SIGINT ends the process at once.

    SIGHUP lets it read its configuration again; with `on_hangup`, which is for what belongs to a terminal, it
    stops it too.
    """

    def stop(signum: int, _frame: FrameType | None) -> None:
        if signum == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        daemon.request_stop()

    def reload(_signum: int, _frame: FrameType | None) -> None:
        daemon.request_reload()

    hangup = stop if on_hangup else reload
    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: hangup}
    before = {one: signal.signal(one, handler) for one, handler in handlers.items()}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
