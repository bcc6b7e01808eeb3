"""What goes to a terminal or a pipe: not spoilt by what a database holds, nor by a reader who goes away."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

# Control characters could wipe the screen, marks of direction and width could make names look like others.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def open_streams() -> None:
    """Make stdout and stderr writable, whatever we were started with: closed, or without our characters."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest that is free, so this very one: nothing that is opened later may be taken for it.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = _ready(sys.stdout)
    sys.stderr = _ready(sys.stderr)


def _ready(stream: TextIO | None) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return stream


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Let whoever reads our stdout go away: that changes nothing about the result."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Nothing may be written to it at the exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def counted(number: int, noun: str) -> str:
    """Write how many there are of something: `1 run`, `1,204 runs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def visible(text: str) -> str:
    """Write out what a terminal would obey or hide instead of showing it."""
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
