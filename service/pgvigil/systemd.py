"""What systemd wants to hear from a daemon: sd_notify(3), which is one datagram to $NOTIFY_SOCKET.

Without that variable, as everywhere but under systemd, nothing is sent. A datagram that cannot be delivered
is lost without a word: the daemon must neither end nor wait because nobody listens.

No library, since none does less harm than these few lines. systemd-python and cysystemd are extensions in C.
sdnotify saw its last release in 2017 and sends any text that it is given. systemd-watchdog is kept up, but
knows neither RELOADING nor STOPPING.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from enum import StrEnum

# systemd reads what arrives at once. Should its queue be full, a sign of life that comes later is of no use.
_PATIENCE_SECONDS = 1.0


class State(StrEnum):
    """What can be told."""

    READY = "READY=1"
    """The service serves: for the first time, or again after RELOADING."""

    RELOADING = "RELOADING=1"
    """The configuration is being read again; READY has to follow, whatever came of it."""

    STOPPING = "STOPPING=1"
    """The service is ending."""

    WATCHDOG = "WATCHDOG=1"
    """A sign of life; due at least every `watchdog_seconds`."""


def notify(*states: State, status: str = "") -> bool:
    """Tell systemd states and a line for `systemctl status`; return whether it was told. Never raises."""
    address = _address(os.environ.get("NOTIFY_SOCKET", ""))
    message = _message(states, status)
    if not (address and message):
        return False
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(_PATIENCE_SECONDS)
        channel.sendto(message, address)
        return True
    return False


def watchdog_seconds() -> float | None:
    """Return how long systemd waits for a sign of life before it kills; None when it asks for none.

    To be heard in time a process gives one twice as often.
    """
    asked_for = os.environ.get("WATCHDOG_PID", "")
    if asked_for and asked_for != str(os.getpid()):
        return None
    with suppress(ValueError):
        microseconds = int(os.environ.get("WATCHDOG_USEC", ""))
        if microseconds > 0:
            return microseconds / 1e6
    return None


def _address(path: str) -> str:
    """Return the address in Python's words: a leading @ stands for the NUL of an abstract socket."""
    if path.startswith("@"):
        return f"\0{path[1:]}"
    return path if path.startswith("/") else ""


def _message(states: tuple[State, ...], status: str) -> bytes:
    lines: list[str] = list(states)
    if State.RELOADING in states:
        # By it systemd tells the READY of this reload from one that was under way before.
        lines.append(f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
    if status:
        lines.append(f"STATUS={' '.join(status.split())}")
    return "\n".join(lines).encode("utf-8", "replace")
