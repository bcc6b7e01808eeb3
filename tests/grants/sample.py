"""The sample database in its crisis, as pgvigil sees it under a role that the command made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from pgvigil.sample import build, configuration, plant_crisis
from tests.cli.command import pgvigil

if TYPE_CHECKING:
    from pathlib import Path


def in_crisis(dsn: str) -> None:
    """Build the sample, and break it."""
    build(dsn, scale=1, seed=1)
    plant_crisis(dsn)


def configured(directory: Path, dsn: str) -> Path:
    """Write the configuration of the sample's team."""
    file = directory / "pgvigil.yaml"
    file.write_text(configuration(dsn), encoding="utf-8")
    return file


def make_role(file: Path, dsn: str, role: str, *, whole_cluster: bool = False) -> None:
    """Run what `pgvigil grants` prints, as a superuser."""
    script = pgvigil("grants", "--role", role, *(() if whole_cluster else ("--config", file)))
    assert (script.status, script.err) == (0, "")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(script.out)


def judged(file: Path, dsn: str) -> dict[str, Any]:
    """Examine the sample at `dsn` and return the report, without what differs between two looks."""
    report: dict[str, Any] = pgvigil("check", "--config", file, "--dsn", dsn, "--format", "json").json
    for run in report["runs"]:
        del run["duration_seconds"]
    return {name: report[name] for name in ("coverage", "runs", "findings")}
