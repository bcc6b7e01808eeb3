"""The dashboards as Grafana reads them, and their queries as Grafana asks them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "grafana" / "dashboards"
UIDS = ("pgvigil-overview", "pgvigil-relations", "pgvigil-drift", "pgvigil-self")

# What Grafana puts in for its variables when everything is chosen. Its rate interval is four scrapes at the
# least; at the default scrape interval of 15 s that is a minute.
ALL = {"job": ".+", "target": ".+", "instance": ".+", "pair": ".+", "__rate_interval": "1m"}

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Query:
    """A query of a panel."""

    board: str
    panel: Mapping[str, Any]
    target: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.board}: {self.panel['title']}: {self.target['refId']}"

    @property
    def expression(self) -> str:
        """The expression with everything chosen."""
        return filled_in(self.target["expr"])


def filled_in(expression: str, values: Mapping[str, str] = ALL) -> str:
    """Put in the values of variables; `$1` of a regular expression is none."""
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), expression)


def board(uid: str) -> Any:
    """Return a dashboard's document."""
    return json.loads((FOLDER / f"{uid}.json").read_text(encoding="utf-8"))


def panels() -> Iterator[tuple[str, Any]]:
    """Return every panel, with the uid of its dashboard."""
    for uid in UIDS:
        for panel in board(uid)["panels"]:
            yield uid, panel


def queries() -> Iterator[Query]:
    """Return every query of every panel."""
    for uid, panel in panels():
        for target in panel["targets"]:
            yield Query(uid, panel, target)
