"""The daemon as an operator has it: a process of its own, seen through its port, its log and its state."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.cli.command import PROGRAM

T = TypeVar("T")

Labels = frozenset[tuple[str, str]]

_PATIENCE = 60.0


@dataclass
class Daemon:
    """A running daemon."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        """Ask over HTTP."""
        try:
            with urlopen(self.address + path, timeout=10) as answer:  # noqa: S310 - our own loopback
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self, name: str) -> dict[Labels, float]:
        """Return the samples of a metric by their labels."""
        families = text_string_to_metric_families(self.get("metrics")[1])
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return {frozenset(sample.labels.items()): sample.value for sample in samples}

    def total(self, name: str, **labels: str) -> float:
        """Add up the samples of a metric that have these labels."""
        found = self.metrics(name).items()
        return sum(value for key, value in found if labels.items() <= dict(key).items())

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> int:
        """End it as a supervisor does, and return its exit status."""
        self.process.terminate()
        return self.process.wait(30)


def until(ask: Callable[[], T], wanted: Callable[[T], bool] = bool) -> T:
    """Ask until the answer is as wanted, or patience runs out; return the last answer."""
    deadline = time.monotonic() + _PATIENCE
    answer = ask()
    while not wanted(answer) and time.monotonic() < deadline:
        time.sleep(0.05)
        answer = ask()
    assert wanted(answer), answer
    return answer


@contextmanager
def daemon(config: Path) -> Iterator[Daemon]:
    """Run the daemon on a configuration for the time of the block."""
    log = config.with_name(f"log-{time.monotonic_ns()}")
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [PROGRAM, "run", "--config", config], stderr=stderr, text=True, env=os.environ.copy()
        ) as process,
    ):
        try:
            address = until(lambda: _address(log, process))
            yield Daemon(process, address, log)
        finally:
            if process.poll() is None:
                process.kill()


def _address(log: Path, process: subprocess.Popen[str]) -> str:
    for line in log.read_text().splitlines():
        if line.startswith('{"url": ') and '"event": "console and metrics"' in line:
            return str(json.loads(line)["url"])
    assert process.poll() is None, log.read_text()
    return ""
