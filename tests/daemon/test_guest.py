"""The daemon as a guest: it works in its hours, makes way for others, and says so."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from pgvigil.embedded import Server
from tests.daemon.process import Daemon, daemon, until
from tests.daemon.test_reload import LISTEN, WITH_TOKEN, post, rewrite
from tests.pressure.others import blocked

Configured = Callable[..., Path]

BUDGET = "budget: {duty_cycle: 1.0}"


def checks(running: Daemon) -> dict[str, dict[str, str]]:
    return {one["check"]: one for one in json.loads(running.get("api/v1/checks")[1])}


def test_nothing_is_examined_out_of_the_window_unless_somebody_asks(
    sound: str, configured: Configured
) -> None:
    opens = (datetime.now(UTC) + timedelta(hours=3)).replace(second=0, microsecond=0)
    window = f"{opens:%H:%M}-{opens + timedelta(hours=2):%H:%M}"
    file = configured(sound, every="5m")
    rewrite(file, LISTEN, WITH_TOKEN)
    rewrite(file, BUDGET, f'budget: {{duty_cycle: 1.0, window: "{window}"}}')
    with daemon(file) as running:
        until(lambda: running.total("pgvigil_subjects", state="unknown"))
        due = {name: datetime.fromisoformat(one["next_due"]) for name, one in checks(running).items()}
        assert all(timedelta(0) <= moment - opens <= timedelta(seconds=10) for moment in due.values()), due
        # Five minutes, and the time between two windows: no alert on old results fires in the meantime.
        intervals = set(running.metrics("pgvigil_interval_seconds").values())
        assert intervals == {22 * 3600.0 + 300.0}
        assert running.total("pgvigil_runs_total") == 0
        assert post(running, "api/v1/runs", {"target": "shop", "check": "tables"})[0] == 202
        until(lambda: running.total("pgvigil_runs_total", check="tables"))
        until(lambda: running.total("pgvigil_subjects", check="tables", state="unknown") == 0)
        assert running.total("pgvigil_runs_total") == running.total("pgvigil_runs_total", check="tables")


@pytest.fixture
def shop(own_server: Server) -> str:
    """The DSN of a database with something to examine, on a server where nobody else waits for a lock."""
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        conn.execute("CREATE TABLE parent (id int PRIMARY KEY)")
        conn.execute("CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent)")
    return own_server.dsn()


def paused(running: Daemon) -> float:
    return running.total("pgvigil_target_paused", target="shop", reason="lock_waits")


def test_a_pause_is_seen_in_the_metrics_and_ends(shop: str, configured: Configured) -> None:
    file = configured(shop)
    rewrite(file, BUDGET, "budget: {duty_cycle: 1.0, pause: {lock_waits: 1}}")
    with blocked(shop, 2), daemon(file) as running:
        until(lambda: paused(running))
        assert running.total("pgvigil_runs_total") == 0
        until(lambda: running.total("pgvigil_target_paused_seconds_total", reason="lock_waits") >= 1.0)
        seconds = time.monotonic()
        assert running.terminate() == 0
        assert time.monotonic() - seconds < 4.0, "the pause is cut short, then the process ends"
    with daemon(file) as running:
        until(lambda: running.total("pgvigil_subjects", state="passed"))
        assert paused(running) == 0
