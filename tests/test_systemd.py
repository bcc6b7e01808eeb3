"""What systemd hears from the daemon, on sockets as systemd opens them."""

from __future__ import annotations

import os
import secrets
import socket
import time
from typing import TYPE_CHECKING

import pytest

from pgvigil.systemd import State, notify, watchdog_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["file", "abstract"])
def manager(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """The socket of a service manager, made known as systemd does."""
    name = f"@pgvigil-{secrets.token_hex(8)}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0", 1))
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield listening


def heard(manager: socket.socket) -> dict[str, str]:
    """Return the next datagram, as systemd takes it apart."""
    return dict(line.split("=", 1) for line in manager.recv(4096).decode().split("\n"))


@pytest.mark.parametrize("state", [State.READY, State.STOPPING, State.WATCHDOG])
def test_a_state_arrives(manager: socket.socket, state: State) -> None:
    assert notify(state)
    assert heard(manager) == {state.name: "1"}


def test_states_and_a_status_go_together(manager: socket.socket) -> None:
    assert notify(State.READY, State.WATCHDOG, status="watching 3 targets")
    assert heard(manager) == {"READY": "1", "WATCHDOG": "1", "STATUS": "watching 3 targets"}


def test_a_reload_says_when_it_began(manager: socket.socket) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert notify(State.RELOADING)
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    told = heard(manager)
    assert told.keys() == {"RELOADING", "MONOTONIC_USEC"}
    assert before <= int(told["MONOTONIC_USEC"]) <= after


def test_a_status_stays_one_line_and_says_nothing_else(manager: socket.socket) -> None:
    assert notify(status="cannot read\n\nSTOPPING=1 \udcff é")
    assert heard(manager) == {"STATUS": "cannot read STOPPING=1 ? é"}


def test_nothing_to_say_is_not_sent(manager: socket.socket) -> None:
    assert not notify()
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(1)


@pytest.mark.parametrize(
    "address", [None, "", "@", "/nowhere/at/all", "vsock:2:1", "relative", "/" + "x" * 200]
)
def test_nobody_who_listens_is_no_error(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not notify(State.READY, status="nobody hears this")


def test_a_manager_that_does_not_read_holds_nobody_up(manager: socket.socket) -> None:
    told = 0
    while notify(State.WATCHDOG):
        told += 1
    assert told > 0
    assert heard(manager) == {"WATCHDOG": "1"}
    assert notify(State.WATCHDOG)


def watchdog(monkeypatch: pytest.MonkeyPatch, microseconds: str | None, pid: str | None) -> float | None:
    for name, value in {"WATCHDOG_USEC": microseconds, "WATCHDOG_PID": pid}.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    return watchdog_seconds()


def test_the_watchdog_is_this_process_s(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watchdog(monkeypatch, "30000000", str(os.getpid())) == 30
    assert watchdog(monkeypatch, "1500000", None) == 1.5
    assert watchdog(monkeypatch, "30000000", str(os.getppid())) is None


@pytest.mark.parametrize("microseconds", [None, "", "0", "-5", "soon", "1.5"])
def test_no_watchdog_is_none(monkeypatch: pytest.MonkeyPatch, microseconds: str | None) -> None:
    assert watchdog(monkeypatch, microseconds, None) is None
