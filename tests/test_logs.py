"""What logs may hold."""

from __future__ import annotations

import subprocess
import sys

import pytest

CRASHING = """
import sys, structlog
from pgvigil import logs

def crash(row):
    raise ValueError("no such thing")

logs.configure(form=sys.argv[1])
try:
    crash("row " + "contents")
except ValueError:
    structlog.get_logger().exception("crashed", target="games")
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_shows_no_local_variables(form: str) -> None:
    ended = subprocess.run([sys.executable, "-c", CRASHING, form], capture_output=True, text=True, check=True)
    assert ended.stdout == ""
    assert "no such thing" in ended.stderr
    assert "games" in ended.stderr
    assert "row contents" not in ended.stderr
