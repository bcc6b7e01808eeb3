"""What reports in words are written on."""

from __future__ import annotations

from typing import IO

from rich.console import Console


class Paper(Console):
    """The console that reports are written on: as wide as its lines, and honest about a reader who left."""

    def __init__(self, file: IO[str] | None = None) -> None:
        super().__init__(file=file, highlight=False, soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """Let the caller decide; the exit status is not ours."""
        raise BrokenPipeError
