"""A process with a store open, that does as it is told, line by line: what a daemon is to its store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Self

from pgvigil import logs
from pgvigil.errors import PgvigilError
from pgvigil.store import Store
from pgvigil.store.view import Picture
from tests.incident.life import finding, run


class Daemon:
    """Such a process, from outside. Every command is answered with one line."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.daemon", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                assert pipe
                pipe.close()

    def ask(self, command: str) -> str:
        self.tell(command)
        return self.answer()

    def tell(self, command: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """Return the next line; it is empty when the process has ended."""
        assert self._process.stdout
        return self._process.stdout.readline().rstrip("\n")

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait()


def main(url: str) -> None:
    """Open the store and carry out commands until there are no more."""
    logs.configure("error", "auto")
    with Store.open(url, wait_seconds=2.0) as store:
        for line in sys.stdin:
            try:
                answer = carry_out(store, *line.split())
            except PgvigilError as error:
                answer = f"{type(error).__name__}: {error}"
            say(answer)


def carry_out(store: Store, command: str, *words: str) -> object:
    match command:
        case "lead":
            return store.lead(wait=words == ("wait",))
        case "leading":
            return store.leading
        case "record":
            return store.record(run(finding(), subject=words[0])).run_id
        case "hold":
            return hold(store)
        case "die-after-commit":
            Picture.apply = die  # type: ignore[assignment, method-assign]
            return store.record(run(finding(rows=7), subject=words[0])).run_id
    raise AssertionError(command)


def hold(store: Store) -> str:
    """Stay in the middle of a leader's transaction until the next line."""
    with store._writing():
        say("holding")
        sys.stdin.readline()
    return "committed"


def say(answer: object) -> None:
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()


def die(*_: object) -> None:
    """End as a power cut would: at once, and with nothing put in order."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
