"""What happens to an alert while Prometheus sees certain samples, told in the terms of `promtool test rules`.

Samples and evaluations are a minute apart, or `step` minutes. `values` are written as promtool has them:
`1x5` is 1 and then five more, `_x5` five scrapes without a sample, `stale` the end of a series.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from tests.alerts.rules import files_of, groups
from tests.background import program

Series = Mapping[str, str]


class Proof(StrEnum):
    """What a scenario shows of its alert; every alert needs all of them."""

    FIRES = "fires"
    SILENT = "stays silent"
    RESOLVES = "resolves"
    SURVIVES = "survives a gap in scrapes"


@dataclass(frozen=True)
class Scenario:
    """Samples, and how many alerts fire at which minute.

    `labels` and `annotations` are those of the only alert that fires, where they are given.
    """

    alert: str
    proves: Sequence[Proof]
    what: str
    series: Sequence[Series]
    firing: Mapping[int, int]
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None
    step: int = 1

    @property
    def id(self) -> str:
        """Name the scenario."""
        return f"{self.alert}: {self.what}"

    def run(self, directory: Path) -> None:
        """Let promtool evaluate it; fail with what promtool says."""
        file = directory / "test.yml"
        file.write_text(yaml.safe_dump(self._test(), allow_unicode=True), encoding="utf-8")
        command = [program("promtool"), "test", "rules", str(file)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr

    def _test(self) -> dict[str, Any]:
        files = files_of(self.alert)  # all of them would take twice as long
        series = [{"series": name, "values": values} for each in self.series for name, values in each.items()]
        return {
            "rule_files": [str(file) for file in files],
            "group_eval_order": [group["name"] for group in groups(files)],
            "evaluation_interval": f"{self.step}m",
            "tests": [
                {
                    "interval": f"{self.step}m",
                    "input_series": series,
                    "promql_expr_test": [self._counted(*each) for each in self.firing.items()],
                    "alert_rule_test": [self._told()] if self.annotations else [],
                }
            ],
        }

    def _counted(self, minute: int, number: int) -> dict[str, Any]:
        query = f'ALERTS{{alertname="{self.alert}",alertstate="firing"}}'
        if number == 1 and self.labels is not None:
            labels = dict(self.labels) | {"alertname": self.alert, "alertstate": "firing"}
            expected = [{"labels": f"ALERTS{selector(labels)}", "value": 1}]
        else:
            query = f"count({query})"
            expected = [{"labels": "{}", "value": number}] if number else []
        return {"expr": query, "eval_time": f"{minute}m", "exp_samples": expected}

    def _told(self) -> dict[str, Any]:
        minute = next(minute for minute, number in self.firing.items() if number == 1)
        expected = {"exp_labels": dict(self.labels or {}), "exp_annotations": dict(self.annotations or {})}
        return {"alertname": self.alert, "eval_time": f"{minute}m", "exp_alerts": [expected]}


def selector(labels: Mapping[str, str]) -> str:
    """Write labels as PromQL does."""
    parts = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items())
    return f"{{{','.join(parts)}}}"


def series(metric: str, values: str, instance: str = "a:9925", **labels: str) -> Series:
    """Return a series as Prometheus has it of one replica of pgvigil."""
    return {f"{metric}{selector({'job': 'pgvigil', 'instance': instance} | labels)}": values}


def target_up(values: str, instance: str = "a:9925", target: str = "games") -> Series:
    """Return the series that says that pgvigil speaks of a target."""
    return series("pgvigil_target_up", values, instance, target=target)
