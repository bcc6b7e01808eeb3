"""Environments of their own for the tools that pgvigil is compared with, made when they are needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.measure import CutError
from bench.results import RESULTS


def environment(name: str, packages: Sequence[str], without_dependencies: Sequence[str] = ()) -> Path | None:
    """Return the Python of an environment with these packages; None, once that was told, without one."""
    home = RESULTS / name
    python, ready = home / "bin" / "python", home / "ready"
    if ready.exists():
        return python
    RESULTS.mkdir(exist_ok=True)
    install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([*install, *packages], check=True)
        if without_dependencies:
            subprocess.run([*install, "--no-deps", *without_dependencies], check=True)
    except subprocess.CalledProcessError as error:
        print(f"{name} could not be installed, and is left out: {error}", flush=True)
        return None
    ready.touch()
    return python


@contextmanager
def worker(command: Sequence[str | Path]) -> Iterator[Callable[[], int]]:
    """Run a worker for the time of the block; yield what lets it do its work once, and returns its count."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        to, answers = process.stdin, process.stdout
        if to is None or answers is None or answers.readline() != "ready\n":
            raise SystemExit("a tool to compare with did not start")

        def ask() -> int:
            if process.poll() is not None:
                raise CutError
            to.write("go\n")
            to.flush()
            answer = answers.readline()
            if not answer:
                raise CutError
            return int(answer)

        try:
            yield ask
        finally:
            process.kill()
