"""Runs the installed command as a person or a script does, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("pgvigil")


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout; anything beside it is an error."""
        return json.loads(self.out)


def pgvigil(*arguments: object, cwd: Path | None = None, stdin: str = "", **environment: str) -> Answer:
    """Run `pgvigil` with no more of our environment than it needs."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env=inherited | environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def refused(answer: Answer, status: int, *words: str) -> None:
    """Assert a one-line error with these words, nothing on stdout, and no traceback."""
    assert answer.status == status, answer
    assert answer.out == ""
    (line,) = answer.err.splitlines()
    assert line.startswith("pgvigil: ")
    for word in words:
        assert word in line
