"""All of it as it is deployed: pgvigil, Prometheus and Alertmanager with the shipped files, and who is told.

Every program is the real one, in a process of its own. Of what is shipped only the receivers' addresses are
replaced, so that times are those that people have: a page that is over is told within a minute, for instance.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import yaml

from pgvigil.embedded.server import free_port
from tests.alertmanager import Alertmanager, running_alertmanager
from tests.daemon.process import Daemon, daemon
from tests.endtoend.told import Story, is_watchdog, story_of
from tests.prometheus import Prometheus, running_prometheus
from tests.webhook import Webhook, receiving

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = sorted(DEPLOY.glob("prometheus/*.rules.yml"))
INCIDENTS = "pgvigil.incidents.rules.yml"
"""The rules that the direct notifier takes the place of."""

TOKEN = "a-token-of-the-tests-0123456789"

PATIENCE = 180.0

T = TypeVar("T")


def shipped_alertmanager(webhook: Webhook) -> tuple[str, dict[str, str]]:
    """Return the shipped configuration, of which only the receivers' addresses differ, and its templates."""
    text = (DEPLOY / "alertmanager/alertmanager.yml").read_text(encoding="utf-8")
    templates = {"pgvigil.tmpl": (DEPLOY / "alertmanager/pgvigil.tmpl").read_text(encoding="utf-8")}
    return text.replace("http://127.0.0.1:9/", webhook.url()), templates


def until(ask: Callable[[], T], wanted: Callable[[T], bool] = bool, seconds: float = PATIENCE) -> T:
    """Ask until the answer is as wanted, and return it; fail when it never is."""
    deadline = time.monotonic() + seconds
    while not wanted(answer := ask()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    return answer


@dataclass
class World:
    """What runs. `daemon` is the present process of pgvigil, at `address` (host:port), `config` its file."""

    config: Path
    address: str
    webhook: Webhook
    alertmanagers: Sequence[Alertmanager]
    prometheus: Prometheus
    daemon: Daemon
    _stack: ExitStack = field(repr=False)

    def start_pgvigil(self) -> None:
        """Start it again after it was killed or told to end."""
        self.daemon = self._stack.enter_context(daemon(self.config))

    @property
    def alertmanager(self) -> Alertmanager:
        """The only Alertmanager."""
        (only,) = self.alertmanagers
        return only

    def post(self, path: str, what: object = None) -> Any:
        """Tell the API something; return what it answers."""
        request = Request(
            f"http://{self.address}/api/v1/{path}",
            data=json.dumps(what or {}).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.loads(answer.read())
        except HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from error

    def ask(self, path: str) -> Any:
        """Ask the API."""
        return json.loads(self.daemon.get(f"api/v1/{path}")[1])

    def incidents(self, **wanted: str) -> list[dict[str, Any]]:
        """Return the live incidents that have these values."""
        found: list[dict[str, Any]] = self.ask("incidents?limit=1000")
        return [one for one in found if one["state"] != "resolved" and wanted.items() <= one.items()]

    def examine(self, target: str) -> None:
        """Let pgvigil examine a target now."""
        self.post("runs", {"target": target})

    def examined(self) -> None:
        """Wait until every subject has been examined and passed."""
        until(lambda: self.daemon.total("pgvigil_subjects"))
        until(lambda: not self.daemon.total("pgvigil_subjects", state="unknown"))
        assert not self.daemon.total("pgvigil_subjects", state="failed")

    def firing(self, *names: str) -> set[Story]:
        """Return what fires in Prometheus: all but the Watchdog, or these alerts alone."""
        return {
            story_of(one["labels"])
            for one in self.prometheus.alerts()
            if one["state"] == "firing"
            and (one["labels"]["alertname"] in names if names else not is_watchdog(one["labels"]))
        }


def configuration(
    home: Path,
    targets: Mapping[str, str],
    *,
    listen: str,
    every: str = "5s",
    state: str = "",
    alertmanagers: Sequence[str] = (),
) -> Path:
    """Write the configuration of a pgvigil that watches these databases (DSN by target) without a rest.

    With `alertmanagers`, their URLs, it notifies them by itself.
    """
    document: dict[str, Any] = {
        "state": state or f"sqlite:///{home}/state.db",
        "web": {"listen": listen, "tokens": {"tests": {"token": TOKEN, "scope": "write"}}},
        "targets": {
            name: {"dsn": dsn, "every": every, "budget": {"duty_cycle": 1.0}} for name, dsn in targets.items()
        },
    }
    if alertmanagers:
        document["notify"] = {"alertmanagers": [{"url": url} for url in alertmanagers]}
    file = home / "pgvigil.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


@contextmanager
def running_world(
    home: Path,
    configure: Callable[[str, Sequence[str]], Path],
    *,
    direct: bool = False,
    alertmanagers: int = 1,
) -> Iterator[World]:
    """Run everything for the time of the block.

    `configure(listen, alertmanagers)` writes pgvigil's configuration; the URLs of Alertmanagers that it is
    given are those that pgvigil has to notify by itself: none unless `direct`, which leaves the rules of
    incidents out.
    """
    with ExitStack() as stack:
        webhook = stack.enter_context(receiving())
        config, templates = shipped_alertmanager(webhook)
        running = [stack.enter_context(running_alertmanager(config, templates)) for _ in range(alertmanagers)]
        address = f"127.0.0.1:{free_port()}"
        file = configure(address, [one.url for one in running] if direct else [])
        watching = stack.enter_context(daemon(file))
        prometheus = stack.enter_context(
            running_prometheus(
                {"pgvigil": [address]},
                [one for one in RULES if not direct or one.name != INCIDENTS],
                [one.url.removeprefix("http://") for one in running],
            )
        )
        yield World(file, address, webhook, running, prometheus, watching, stack)
