"""A real Alertmanager on a free loopback port, alone: no cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pgvigil.embedded.server import free_port
from tests.background import Background, home_of_a_server, program

PROGRAMS = ("prometheus-alertmanager", "alertmanager")


class Alertmanager(Background):
    """A running Alertmanager."""

    def post(
        self,
        labels: Mapping[str, str],
        annotations: Mapping[str, str] | None = None,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
    ) -> None:
        """Send it one alert; with `ends_at` in the past, a resolved one."""
        self.post_all([alert(labels, annotations, starts_at, ends_at)])

    def post_all(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Send it alerts in the form of its v2 API, in one request."""
        self.ask("/api/v2/alerts", list(alerts))

    def alerts(self, **parameters: str) -> list[dict[str, Any]]:
        """Return the alerts it holds, with their status: active, or suppressed and by what."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        found: list[dict[str, Any]] = self.ask(f"/api/v2/alerts?{query}")
        return found

    def load(self, config: str) -> None:
        """Let it read another configuration."""
        self.home.write("alertmanager.yml", config)
        self.ask("/-/reload", method="POST")


def alert(
    labels: Mapping[str, str],
    annotations: Mapping[str, str] | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> dict[str, Any]:
    """Return an alert in the form of the v2 API."""
    times = {"startsAt": starts_at, "endsAt": ends_at}
    return {
        "labels": dict(labels),
        "annotations": dict(annotations or {}),
        **{name: at.isoformat() for name, at in times.items() if at is not None},
    }


@contextmanager
def running_alertmanager(
    config: str, files: Mapping[str, str] | None = None, prefix: str = ""
) -> Iterator[Alertmanager]:
    """Run it with this configuration (YAML) for the time of the block.

    `files` are further ones by name, such as templates; they lie beside the configuration. `prefix` is that
    of its paths, such as `/team`.
    """
    with home_of_a_server({"alertmanager.yml": config, **(files or {})}) as home:
        port = free_port()
        command = [
            program(*PROGRAMS),
            f"--config.file={home.path}/alertmanager.yml",
            f"--storage.path={home.path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            f"--web.route-prefix={prefix or '/'}",
        ]
        server = Alertmanager(command, f"http://127.0.0.1:{port}{prefix}", home)
        try:
            server.start()
            yield server
        finally:
            server.stop()
