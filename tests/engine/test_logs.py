"""Logs go to stderr, one line each; stdout belongs to results."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import make_conninfo

from tests.engine.world import World, watch_of
from tests.runner.plugins import CLEAN, Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

PROGRAM = """
import logging, structlog
from pgvigil import logs
logs.configure({level!r}, {form!r})
log = structlog.get_logger("x")
log.debug("hidden")
log.info("hello", subject="a.b", text="gr\u00fcn")
logging.getLogger("library").warning("from %s", "elsewhere")
logging.getLogger("apscheduler").info("chatter")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""


OURS = """
import sys
from pgvigil import logs
logs.configure("info", "json")
log = logs.get_logger("x")
assert "structlog" not in sys.modules
log.info("hello", subject="a.b")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
import structlog
structlog.get_logger("plugin").warning("from a plugin")
"""

# A plugin that loads structlog before we have written anything.
EARLY = """
from pgvigil import logs
from pgvigil.registry import Registry
logs.configure("info", "json")
import structlog
Registry.load()
structlog.get_logger("plugin").warning("from a plugin")
"""


def run(form: str, level: str = "info") -> list[str]:
    return written(PROGRAM.format(level=level, form=form))


def written(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_json_is_one_object_a_line_also_of_libraries_and_errors() -> None:
    lines = [json.loads(line) for line in run("json")]
    assert [line["event"] for line in lines] == ["hello", "from elsewhere", "failed"]
    assert [line["level"] for line in lines] == ["info", "warning", "error"]
    assert (lines[0]["subject"], lines[0]["text"]) == ("a.b", "grün")
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert "ZeroDivisionError" in lines[2]["exception"]


def test_what_logs_is_loaded_with_the_first_line() -> None:
    lines = [json.loads(line) for line in written(OURS)]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("hello", "info"),
        ("failed", "error"),
        ("from a plugin", "warning"),
    ]
    assert lines[0]["subject"] == "a.b"
    assert "ZeroDivisionError" in lines[1]["exception"]


def test_a_plugin_logs_as_we_do() -> None:
    (line,) = map(json.loads, written(EARLY))
    assert (line["event"], line["level"]) == ("from a plugin", "warning")


def test_logs_are_json_where_there_is_no_terminal() -> None:
    assert run("auto")[0].startswith("{")


def test_text_is_for_people() -> None:
    assert "subject=a.b" in run("text")[0]


def test_the_level_is_kept_to() -> None:
    assert [json.loads(line)["event"] for line in run("json", "error")] == ["failed"]


def test_the_log_of_a_crash_tells_where_and_holds_no_row(
    world_of: Callable[..., World], database: str, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    def crash(*_: object) -> Any:
        row = "-".join(["the", "secret", "of", "a", "row"])
        raise ValueError(f"could not convert {row}")

    world = world_of(watch_of(database, Plugin(crash)))
    with caplog.at_level(logging.DEBUG):
        world.tick()
    written = caplog.text + "".join(capfd.readouterr())
    assert "check crashed" in written
    assert "in crash" in written
    assert "the-secret-of-a-row" not in written


def test_a_target_that_stays_down_is_told_once_for_each_check(
    world_of: Callable[..., World], database: str, capfd: Any
) -> None:
    away = make_conninfo(database, dbname="nowhere")
    world = world_of(watch_of(away, Plugin(lambda *_: CLEAN)))
    for _ in range(3):
        world.tick()
    assert "".join(capfd.readouterr()).count("could not examine") == 1
