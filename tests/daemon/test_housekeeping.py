"""What the daemon does in the background goes on, whatever befalls one round of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from pgvigil.app import Daemon
from pgvigil.config import load
from pgvigil.registry import Registry
from pgvigil.store import Store
from tests.daemon.process import until


def readiness(running: Daemon) -> tuple[int, str]:
    try:
        with urlopen(f"{running.address}-/ready", timeout=10) as answer:  # noqa: S310 - our own loopback
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_a_round_that_crashes_is_told_of_and_the_next_one_is_tried(
    sound: str,
    configured: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    crashing = threading.Event()
    crashing.set()

    def leading(_: Store) -> bool:
        if crashing.is_set():
            raise KeyError("nobody thought of that")
        return True

    monkeypatch.setattr("pgvigil.housekeeping._ROUND_SECONDS", 0.01)
    monkeypatch.setattr(Store, "leading", property(leading))
    running = Daemon(load(configured(sound, every="1h"), {}), Registry.load())
    with caplog.at_level(logging.INFO):
        running.start()
        try:
            _, reason = until(lambda: readiness(running), lambda answer: answer[0] == 503)
            assert reason.startswith("the state store is not being looked after since 20")
            assert "KeyError" in reason
            crashing.clear()
            until(lambda: readiness(running), lambda answer: answer == (200, "ready\n"))
        finally:
            running.stop()
    written = caplog.text + "".join(capsys.readouterr())
    assert "in leading" in written, "the log holds the traceback"
