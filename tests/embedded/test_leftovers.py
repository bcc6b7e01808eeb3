"""Nothing is left of a server, however the process that owns it ends: no file, no process."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pgvigil.embedded import find, serve

if TYPE_CHECKING:
    from subprocess import Popen

    from tests.embedded.conftest import Person, Room

ENDINGS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]


def wait_until_serving(owner: Popen[str]) -> None:
    assert owner.stdout is not None
    assert owner.stdout.readline() == "serving\n", owner.communicate()[1]


@pytest.mark.parametrize(("ending", "status"), [("return", 0), ("raise", 1)])
def test_after_an_end_of_its_own(person: Person, room: Room, ending: str, status: int) -> None:
    with person.starts_owner(room, ending) as owner:
        wait_until_serving(owner)
        _, errors = owner.communicate()
    assert owner.returncode == status, errors
    assert not list(room.path.iterdir()), "a process that ends in good order waits until all is removed"
    room.wait_until_empty()


@pytest.mark.parametrize("number", ENDINGS, ids=lambda number: number.name)
def test_after_a_signal_to_all_of_its_group(person: Person, room: Room, number: signal.Signals) -> None:
    with person.starts_owner(room, "wait") as owner:
        wait_until_serving(owner)
        assert room.processes()
        os.killpg(owner.pid, number)
        owner.communicate()
    assert owner.returncode == -number
    room.wait_until_empty()


def test_ctrl_c_leaves_the_server_to_its_owner(person: Person, room: Room) -> None:
    with person.starts_owner(room, "wait") as owner:
        wait_until_serving(owner)
        os.killpg(owner.pid, signal.SIGINT)
        output, errors = owner.communicate()
    assert output == "still served\n", errors
    room.wait_until_empty()


def test_after_an_impatient_ctrl_c(person: Person, room: Room) -> None:
    with person.starts_owner(room, "wait") as owner:
        wait_until_serving(owner)
        for _ in range(10):
            os.killpg(owner.pid, signal.SIGINT)
            time.sleep(0.05)
        owner.communicate()
    room.wait_until_empty()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_after_a_signal_at_any_moment_of_the_start(
    person: Person, room: Room, number: signal.Signals
) -> None:
    for delay in (0.0, 0.1, 0.2, 0.4, 0.7, 1.0):
        with person.starts_owner(room, "wait") as owner:
            time.sleep(delay)
            os.killpg(owner.pid, number)
            owner.communicate()
    room.wait_until_empty()


def test_after_the_guard_was_killed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(room.path))
    with serve():
        (guard,) = (
            pid for pid in room.processes() if b"guard.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.kill(guard, signal.SIGKILL)
    monkeypatch.undo()
    room.wait_until_empty()


def test_servers_do_not_keep_each_other_alive(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(room.path))
    with serve(bindir=find().bindir):
        with serve():
            assert len(list(room.path.iterdir())) == 2
        assert len(list(room.path.iterdir())) == 1
    monkeypatch.undo()
    room.wait_until_empty()
