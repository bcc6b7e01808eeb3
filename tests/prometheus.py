"""A real Prometheus on a free loopback port; it scrapes and evaluates every second unless told otherwise."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from pgvigil.embedded.server import free_port
from tests.background import Background, home_of_a_server, program

Labels = frozenset[tuple[str, str]]


class Prometheus(Background):
    """A running Prometheus."""

    def query(self, expression: str, at: float | None = None) -> dict[Labels, float]:
        """Evaluate an expression that gives a vector, now or at a Unix time."""
        parameters = {"query": expression} | ({} if at is None else {"time": str(at)})
        data = self.ask(f"/api/v1/query?{urlencode(parameters)}")["data"]
        return {frozenset(one["metric"].items()): float(one["value"][1]) for one in data["result"]}

    def wait_for(self, expression: str, seconds: float = 60) -> dict[Labels, float]:
        """Return what an expression gives as soon as it gives anything; fail when it does not.

        The first scrape comes about five seconds after the start: targets are discovered so often.
        """
        deadline = time.monotonic() + seconds
        while not (found := self.query(expression)):
            assert time.monotonic() < deadline, f"nothing in {seconds} s: {expression}"
            time.sleep(0.05)
        return found

    def query_range(
        self, expression: str, start: float, end: float, step: float = 1
    ) -> dict[Labels, list[tuple[float, float]]]:
        """Evaluate an expression over a time (Unix seconds); return (time, value) pairs by labels."""
        parameters = {"query": expression, "start": start, "end": end, "step": step}
        data = self.ask(f"/api/v1/query_range?{urlencode(parameters)}")["data"]
        return {
            frozenset(one["metric"].items()): [(at, float(value)) for at, value in one["values"]]
            for one in data["result"]
        }

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that are pending or firing, with labels, annotations, state, activeAt, value."""
        found: list[dict[str, Any]] = self.ask("/api/v1/alerts")["data"]["alerts"]
        return found

    def firing(self) -> list[str]:
        """Return the names of the alerts that fire, sorted, one entry an alert."""
        return sorted(one["labels"]["alertname"] for one in self.alerts() if one["state"] == "firing")

    def rules(self) -> list[dict[str, Any]]:
        """Return all rules, each with its health and last error."""
        groups = self.ask("/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def targets(self) -> list[dict[str, Any]]:
        """Return what it scrapes, each with its health and last error."""
        found: list[dict[str, Any]] = self.ask("/api/v1/targets?state=active")["data"]["activeTargets"]
        return found


@contextmanager
def running_prometheus(
    jobs: Mapping[str, Sequence[str]],
    rules: Sequence[Path] = (),
    alertmanagers: Sequence[str] = (),
    interval: str = "1s",
) -> Iterator[Prometheus]:
    """Run it for the time of the block.

    `jobs` are the addresses (host:port) to scrape, by job; `alertmanagers` are addresses, too. `interval` is
    that of scrapes and evaluations.
    """
    config = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": [file.name for file in rules],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": list(addresses)}]}
            for job, addresses in jobs.items()
        ],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]},
    }
    files = {file.name: file.read_text(encoding="utf-8") for file in rules}
    with home_of_a_server({"prometheus.yml": yaml.safe_dump(config), **files}) as home:
        port = free_port()
        command = [
            program("prometheus"),
            f"--config.file={home.path}/prometheus.yml",
            f"--storage.tsdb.path={home.path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-lifecycle",
            "--rules.alert.resend-delay=5s",
        ]
        server = Prometheus(command, f"http://127.0.0.1:{port}", home)
        try:
            server.start()
            yield server
        finally:
            server.stop()
