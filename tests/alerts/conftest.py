"""The shipped configuration on a real Alertmanager, whose receivers all lead to a recording webhook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.alertmanager import Alertmanager, running_alertmanager
from tests.webhook import Webhook, receiving

ALERTMANAGER = Path(__file__).parents[2] / "deploy/alertmanager"


@dataclass(frozen=True)
class Notified:
    """A running Alertmanager, and who is told."""

    alertmanager: Alertmanager
    webhook: Webhook


def configuration(webhook: Webhook, receivers: dict[str, Any] | None = None) -> str:
    """Return the configuration as it is shipped, but for addresses and for how long is waited.

    `receivers` are settings of all receivers beside the webhook.
    """
    text = (ALERTMANAGER / "alertmanager.yml").read_text(encoding="utf-8")
    config = yaml.safe_load(text.replace("http://127.0.0.1:9/", webhook.url()))
    _hasten(config["route"])
    for receiver in config["receivers"]:
        receiver.update(receivers or {})
    return yaml.safe_dump(config)


def _hasten(route: dict[str, Any]) -> None:
    """Wait a second where people wait for minutes; what is repeated after hours is not repeated here."""
    route.update({name: "1s" for name in ("group_wait", "group_interval") if name in route})
    if route.get("repeat_interval") == "30s":
        route["repeat_interval"] = "1s"
    for each in route.get("routes", ()):
        _hasten(each)


@pytest.fixture
def notified() -> Iterator[Callable[..., Notified]]:
    """`notified(receivers)`: the shipped configuration, running."""
    with ExitStack() as stack:

        def run(receivers: Callable[[Webhook], dict[str, Any]] | None = None) -> Notified:
            webhook = stack.enter_context(receiving())
            config = configuration(webhook, receivers(webhook) if receivers else None)
            files = {"pgvigil.tmpl": (ALERTMANAGER / "pgvigil.tmpl").read_text(encoding="utf-8")}
            return Notified(stack.enter_context(running_alertmanager(config, files)), webhook)

        yield run
