"""The rule files as they are shipped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "deploy/prometheus").glob("*.rules.yml"))

Rule = dict[str, Any]


@cache
def groups() -> list[dict[str, Any]]:
    """Return the groups of all files, those that record for others first."""
    found = [group for file in RULES for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]
    return sorted(found, key=lambda group: group["name"] != "pgvigil.recording")


def alerting() -> list[Rule]:
    """Return the alerting rules; an alert may have several."""
    return [rule for group in groups() for rule in group["rules"] if "alert" in rule]


def alerts() -> list[str]:
    """Return the names of all alerts."""
    return sorted({str(rule["alert"]) for rule in alerting()})


def recorded() -> list[str]:
    """Return the names of the series that the rules record."""
    return sorted(str(rule["record"]) for group in groups() for rule in group["rules"] if "record" in rule)
