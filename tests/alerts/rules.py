"""The rule files as they are shipped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "deploy/prometheus").glob("*.rules.yml"))

Rule = dict[str, Any]


@cache
def files_of(alert: str) -> list[Path]:
    """Return the files that an alert depends on: its own, and those that record what their rules ask for."""
    needed = {file for file in RULES if any(rule.get("alert") == alert for rule in _rules(file))}
    while True:
        asked = " ".join(rule["expr"] for file in needed for rule in _rules(file))
        more = {
            file for file in RULES for rule in _rules(file) if "record" in rule and rule["record"] in asked
        }
        if more <= needed:
            return sorted(needed)
        needed |= more


def _rules(file: Path) -> list[Rule]:
    return [rule for group in _groups(file) for rule in group["rules"]]


@cache
def _groups(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    return found


def groups(files: Sequence[Path] = RULES) -> list[dict[str, Any]]:
    """Return the groups of these files, those that record for others first."""
    found = [group for file in files for group in _groups(file)]
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
