"""Settings that are allowed, and together do not what their author means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from pgvigil.clock import SystemClock
from pgvigil.doubts import doubts
from pgvigil.metrics import Counters
from pgvigil.registry import Registry
from pgvigil.store import Store
from pgvigil.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.config import Config

    Read = Callable[..., Config]


def doubtful(read: Read, settings: str) -> list[str]:
    config = read(f"targets:\n  a:\n    dsn: dbname=a\n    {settings}\n")
    found = doubts(config, Registry.load().bind_all(config))
    return [str(error).split("/pgvigil.yaml:")[1] for error in found]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            "budget: {chunk: 1m, statement_timeout: 10s}",
            (
                "4: targets.a.budget.chunk: a chunk of 1m is cut off by the statement_timeout of 10s: "
                "make it a tenth of that, or less"
            ),
        ),
        (
            "budget: {window: '01:00-01:30', pause: {longest: 30m}}",
            (
                "4: targets.a.budget.pause.longest: a pause of 30m may take the whole window 01:00-01:30: "
                "make it shorter"
            ),
        ),
        (
            "budget: {pause: {longest: 1h}}",
            (
                "4: targets.a.budget.pause.longest: a pause of 1h is longer than results every 5m may be old "
                "(20m): each one would page; make it shorter"
            ),
        ),
        (
            "cron: '0 6-21 * * *'\n    budget: {window: '22:00-06:00'}",
            (
                "4: targets.a.cron: no time of '0 6-21 * * *' is within the window 22:00-06:00: "
                "ticks wait until it begins"
            ),
        ),
        (
            "budget: {window: '22:00-06:00'}\n    checks: {tables: {cron: '30 12 * * *'}}",
            (
                "5: targets.a.checks.tables.cron: no time of '30 12 * * *' is within the window 22:00-06:00: "
                "ticks wait until it begins"
            ),
        ),
        *(
            (
                f"standby: {{dsn: dbname=b, max_lag: {lag}}}",
                (
                    f"4: targets.a.standby.max_lag: {lag} is hardly time to replay what was just written: "
                    "while the primary is busy its standby is not read; make it 1s or more"
                ),
            )
            for lag in ("0s", "900ms")
        ),
        (
            "standby: {dsn: 'user=other dbname=a password=x'}",
            (
                "4: targets.a.standby.dsn: leads where the target's own dsn leads: to the primary, "
                "which is no standby of itself"
            ),
        ),
    ],
)
def test_what_is_doubtful_is_told_once_with_its_place(read: Read, settings: str, expected: str) -> None:
    assert doubtful(read, settings) == [expected]


@pytest.mark.parametrize(
    "settings",
    [
        "every: 1s",
        "cron: '0 5 * * *'\n    budget: {window: '22:00-06:00'}",
        "cron: '0 12,23 * * *'\n    budget: {window: '22:00-06:00'}",
        "budget: {window: '22:00-06:00', pause: {longest: 1h}}",
        "every: 1h\n    budget: {pause: {longest: 1h}}",
        "budget: {chunk: 100ms, statement_timeout: 1s}",
        "budget: {chunk: null, statement_timeout: 1s}",
        "standby: {dsn: dbname=b, max_lag: 1s}",
        # One name of several servers, of which one asks for a standby.
        "standby: {dsn: 'dbname=a target_session_attrs=standby'}",
    ],
)
def test_what_is_sensible_is_no_doubt(read: Read, settings: str) -> None:
    assert doubtful(read, settings) == []


def test_the_daemon_says_so_too(read: Read) -> None:
    config = read(
        "targets: {a: {dsn: 'host=127.0.0.1 port=9', budget: {chunk: 1m, statement_timeout: 1s}}}\n"
    )
    with Store.open("sqlite://") as store, capture_logs() as logs:
        watching = Watching(store, Registry.load(), Counters(), SystemClock())
        watching.follow(config)
        watching.stop()
    [told] = [each for each in logs if each["event"] == "a doubtful setting"]
    assert "targets.a.budget.chunk: a chunk of 1m is cut off" in told["setting"]
