"""Scrapes of a real daemon over HTTP, while it examines a real database of 6,700 tables: 20,000 subjects.

Every child table is three of them: itself, its foreign key and its relation. Some hundred relations have
orphans, so that incidents are shown as well. The daemon examines all the time, without a rest between runs.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

import psycopg
from tests.daemon.process import Daemon, daemon
from tests.endtoend.world import configuration, until

from bench.results import keep, load, resident_mb
from pgvigil.embedded import serve
from pgvigil.embedded.server import free_port

_CHILDREN = 6_667
_AT_FAULT = 500
_SUBJECTS = 3 * _CHILDREN
_SCRAPES = 200
_PAUSE_SECONDS = 0.5
_GOAL_SECONDS = 0.25
_PATIENCE = 1800.0
_TOGETHER = 500


def run() -> str:
    """Return a report."""
    settings = {"shared_buffers": "256MB", "max_locks_per_transaction": "1024"}
    with serve(settings=settings) as server, tempfile.TemporaryDirectory() as home:
        _build(server.dsn())
        listen = f"127.0.0.1:{free_port()}"
        file = configuration(Path(home), {"many": server.dsn()}, listen=listen, every="5s")
        with daemon(file) as running:
            return _measured(running)


def _build(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE parent (id int PRIMARY KEY)")
        connection.execute("INSERT INTO parent VALUES (1)")
        for first in range(1, _CHILDREN + 1, _TOGETHER):
            for number in range(first, min(first + _TOGETHER, _CHILDREN + 1)):
                connection.execute(
                    f"CREATE TABLE child_{number} (parent_id int PRIMARY KEY REFERENCES parent)".encode()
                )
                if number <= _AT_FAULT:
                    connection.execute(f"INSERT INTO child_{number} VALUES (1)".encode())
            connection.commit()
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("DELETE FROM parent")


def _measured(running: Daemon) -> str:
    def coverage() -> tuple[int, int]:
        counted = json.loads(running.get("api/v1/coverage")[1])
        return sum(one["known"] for one in counted), sum(one["unknown"] for one in counted)

    until(coverage, lambda found: found[0] > _SUBJECTS and found[1] == 0, _PATIENCE)
    pid = running.process.pid
    before, runs = resident_mb(pid), running.total("pgvigil_runs_total")
    seconds, resident, size = [], [], 0
    for _ in range(_SCRAPES):
        begun = time.perf_counter()
        size = len(running.get("metrics")[1])
        seconds.append(time.perf_counter() - begun)
        resident.append(resident_mb(pid))
        time.sleep(_PAUSE_SECONDS)
    measured = {
        "subjects": coverage()[0],
        "incidents": len(running.metrics("pgvigil_incident_violations")),
        "runs_meanwhile": running.total("pgvigil_runs_total") - runs,
        "bytes": size,
        "seconds": seconds,
        "resident_mb_before": before,
        "resident_mb": resident,
    }
    file = keep("scrape-live", measured)
    median, worst = statistics.median(seconds), max(seconds)
    ninth = sorted(seconds)[_SCRAPES * 9 // 10]
    verdict = "met" if worst < _GOAL_SECONDS else "by the median" if median < _GOAL_SECONDS else "MISSED"
    return f"""\
{_SCRAPES} scrapes of a daemon at work, load {load()[0]} ({file})
  {measured["subjects"]:,} subjects, {measured["incidents"]:,} incidents, {size:,} bytes
  {measured["runs_meanwhile"]:,.0f} runs meanwhile
  seconds: median {median:.3f}, 90 % below {ninth:.3f}, worst {worst:.3f}; goal {_GOAL_SECONDS:g}: {verdict}
  memory: {before} MB before, {resident[9]} after 10, {resident[-1]} after all, {max(resident)} at the most"""
