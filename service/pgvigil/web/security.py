"""What guards the web side at a moment, and how it changes while the server runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pgvigil.config import Config
from pgvigil.errors import ConfigError
from pgvigil.logs import get_logger
from pgvigil.web import toolkit
from pgvigil.web.access import Rules, exposure, rules_of
from pgvigil.web.bucket import Bucket
from pgvigil.web.tls import Tls, tls_of

_POLL_SECONDS = 1.0

log = get_logger(__name__)

_Stamp = tuple[int, int, int] | None
"""Inode, size and time of change tell one state of a file from another; None when it cannot be seen."""


@dataclass(frozen=True, slots=True)
class Security:
    """All that guards the web side: immutable, made anew from the configuration whenever that changes."""

    rules: Rules = field(default_factory=Rules)
    tls: Tls | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those that the web configuration adds."""
    limit: Bucket | None = None
    warning: str = ""
    """What an operator should be told at the start; empty when there is nothing."""
    again: Callable[[], Security] | None = field(default=None, repr=False)
    """Reads it once more; raises ConfigError."""
    stamps: Mapping[Path, _Stamp] = field(default_factory=dict, repr=False)
    """The files that it was made of, as they were then."""

    @classmethod
    def of(cls, config: Config, environ: Mapping[str, str] = os.environ) -> Security:
        """Read what the section `web` asks for, and the file that it names; raises ConfigError."""
        web = config.web

        def again() -> Security:
            return cls.of(config, environ)

        if web.config_file is None:
            rules = rules_of(web, {})
            return cls(rules, warning=exposure(web, rules), again=again)
        path = config.beside(web.config_file)
        # Stamped before they are read: what changes meanwhile is read again.
        stamps = _stamps([path])
        file = toolkit.read(path, environ)
        stamps |= _stamps(file.files[1:])
        rules = rules_of(web, file.users)
        return cls(
            rules=rules,
            tls=tls_of(file),
            headers={str(name): value for name, value in file.settings.http_server_config.headers.items()},
            limit=_bucket(file.settings.rate_limit),
            warning=exposure(web, rules),
            again=again,
            stamps=stamps,
        )


class LiveSecurity:
    """The security in force. Follows its files while it is watched; what is broken changes nothing."""

    def __init__(self, security: Security) -> None:
        self._now = security
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._before = security.stamps
        self._complaint = ""

    @property
    def now(self) -> Security:
        """What is in force."""
        return self._now

    def take(self, security: Security) -> None:
        """Take another one into force: the next request, and the next connection, meets it."""
        with self._guard:
            self._put(security)

    def watch(self, report: Callable[[bool], None] = lambda _: None) -> None:
        """Begin to look at the files every second; `report` hears of each reading whether it is in force."""

        def follow() -> None:
            while not self._stopped.wait(_POLL_SECONDS):
                taken = self.look()
                if taken is not None:
                    report(taken)

        threading.Thread(target=follow, name="web-config", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def look(self) -> bool | None:
        """Look once; return whether what the files say now is in force, None when they say nothing new.

        They are read when they have come to rest: a certificate and its key are seldom written at once. A
        broken one is tried again and again, as what it lacks may be in a file that nobody knows of yet.
        """
        security = self._now
        stamps = _stamps(security.stamps)
        at_rest, self._before = stamps == self._before, stamps
        changed = stamps != security.stamps or self._complaint
        if security.again is None or not (changed and at_rest):
            return None
        try:
            read = security.again()
        except ConfigError as error:
            self._complain("; ".join(str(error).splitlines()))
            return False
        except Exception as error:  # noqa: BLE001 -- whatever it is, the next look is due all the same
            self._complain(f"pgvigil itself failed: {type(error).__name__}")
            return False
        with self._guard:
            # A reload that came meanwhile knows better: this is of the configuration before it.
            if self._now is not security:
                return None
            self._put(read)
        log.info("web configuration taken into force")
        return True

    def _put(self, security: Security) -> None:
        self._now = security
        self._before = security.stamps
        self._complaint = ""

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            log.error("web configuration is broken, the last good one stays in force", error=complaint)
        self._complaint = complaint


def _stamps(paths: Iterable[Path]) -> dict[Path, _Stamp]:
    return {path: _stamp(path) for path in paths}


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _bucket(limit: toolkit.RateLimit) -> Bucket | None:
    return Bucket(limit.interval.total_seconds(), limit.burst) if limit.interval else None
