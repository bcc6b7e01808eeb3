"""A real pgvigil on the sample database, and a real Prometheus that scrapes it and runs its rules.

The story: version 2.4.0 is deployed, all is well; 2.5.0 is deployed, and with it comes the crisis. A second
target does not answer at all.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from pgvigil.embedded import guarded_directory, serve
from pgvigil.embedded.server import free_port
from pgvigil.sample import Motion, build, configuration, plant_crisis
from tests.alertmanager import running_alertmanager
from tests.daemon.process import Daemon, daemon, until
from tests.prometheus import Prometheus, running_prometheus

_RULES = Path(__file__).parents[2] / "deploy" / "prometheus"
_TOKEN = "a-token-for-the-scene"
_SEED = 1
_CHECKS = 5
_NOBODY = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@dataclass
class Scene:
    """The programs that run, and when the story began, in Unix seconds."""

    daemon: Daemon
    prometheus: Prometheus
    dsn: str
    began: float

    def deploy(self, version: str) -> None:
        """Mark a deployment of the games, as a pipeline does."""
        self.ask("deployments", {"target": "games", "version": version, "examine": True})

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask pgvigil's API; with a body, tell it something."""
        headers = {"Authorization": f"Bearer {_TOKEN}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.daemon.address}api/v1/{path}", data=data, headers=headers)  # noqa: S310
        with urlopen(request, timeout=60) as answer:  # noqa: S310 - our own loopback
            return json.load(answer)

    def break_it(self) -> Motion:
        """Plant the crisis, and return what lets its faults come and go."""
        return Motion(self.dsn, _SEED, plant_crisis(self.dsn, seed=_SEED))

    def faults_seen(self) -> None:
        """Wait until Prometheus knows the crisis, the drift among it, and has seen a tick."""
        for expression in (
            'pgvigil_incidents{check="table_drift", state="open"} > 0',
            'pgvigil_incidents{check="orphan_rows", state="open"} > 5',
            'pgvigil_incidents{check="foreign_keys", state="open"} > 2',
            "pgvigil_new_incidents > 0",
            # A rate needs a tick between two scrapes: all of the above may have been before the first.
            "sum(rate(pgvigil_runs_total[1m])) + sum(rate(pgvigil_runs_spared_total[1m])) > 0",
        ):
            self.prometheus.wait_for(expression, 120)


@contextmanager
def running_scene(every: str = "5s", scrapes: str = "1s") -> Iterator[Scene]:
    """Build the healthy sample, start everything on it, and mark the first deployment."""
    with serve() as server, guarded_directory() as home, running_alertmanager(_NOBODY) as alertmanager:
        dsn = server.dsn()
        build(dsn, scale=1, seed=_SEED)
        began = time.time()
        file = home.path / "pgvigil.yaml"
        text = configuration(
            dsn, name="games", state=f"sqlite:///{home.path}/state.db", listen="127.0.0.1:0", every=every
        )
        file.write_text(_more(text, every, alertmanager.url), encoding="utf-8")
        with (
            daemon(file) as vigil,
            running_prometheus(
                {"pgvigil": [vigil.address.split("/")[2]]},
                rules=sorted(_RULES.glob("*.rules.yml")),
                interval=scrapes,
            ) as prometheus,
        ):
            scene = Scene(vigil, prometheus, dsn, began)
            until(lambda: _examined(vigil))
            scene.deploy("2.4.0")
            yield scene


def _examined(vigil: Daemon) -> bool:
    """Tell whether all subjects of the games were found and examined."""
    checks = [labels for labels in vigil.metrics("pgvigil_interval_seconds") if ("target", "games") in labels]
    unknown = vigil.total("pgvigil_subjects", target="games", state="unknown")
    return len(checks) == _CHECKS and unknown == 0


def _more(text: str, every: str, alertmanager: str) -> str:
    """Add to a configuration: who may write, a target that is down, and the direct notifier."""
    token = json.dumps(_TOKEN)
    serving = f"web: {{listen: '127.0.0.1:0', tokens: {{pipeline: {{token: {token}, scope: write}}}}}}\n"
    down = f"  warehouse:\n    dsn: postgresql://nobody@127.0.0.1:{free_port()}/none\n    every: {every}\n"
    notify = f"notify: {{alertmanagers: [{{url: {alertmanager!r}}}]}}\n"
    lines = [serving if line.startswith("web:") else line for line in text.splitlines(keepends=True)]
    return "".join(lines) + down + notify


def walk(motion: Motion, seconds: float, step: float, tell: Callable[[str], None]) -> None:
    """Let faults come and go for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        tell(motion.step())
        time.sleep(step)
