"""The one line that says why a server does not come up."""

from __future__ import annotations

import re
from typing import Final

_SEVERE: Final = re.compile(r"\b(?:PANIC|FATAL|ERROR|error):\s+(?P<message>.*)")
_LOGGED: Final = re.compile(r"\bLOG:\s+(?P<message>.*)")
# Lines that only say that it failed: one above them says why.
_EMPTY_WORDS: Final = re.compile(
    r"database system is shut down|configuration file .* contains errors|could not create any TCP/IP sockets"
)


def last_complaint(output: str) -> str:
    """Return the last line of a server's log, or of what a program printed, that tells what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not _EMPTY_WORDS.search(line)]
    for kind in (_SEVERE, _LOGGED):
        matches = [match["message"] for line in lines if (match := kind.search(line))]
        if matches:
            return matches[-1]
    return lines[-1] if lines else "it said nothing"
