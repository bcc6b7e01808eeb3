"""What `--explain` says of a run that was read on one of two servers."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from pgvigil.check import Outcome
from pgvigil.cli.report import print_text
from pgvigil.once import Report
from pgvigil.run import Run

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("explain", "lines"),
    [
        ("hash: small\nread on the standby", ["  0.000 s  hash: small", "    read on the standby"]),
        (
            "read on the primary",
            [
                "  0.000 s  tables: the check has one way only, there is nothing to choose",
                "    read on the primary",
            ],
        ),
    ],
)
def test_the_server_that_was_read_has_a_line_of_its_own(explain: str, lines: list[str]) -> None:
    run = Run(
        target="main",
        check="tables",
        subject="public.t",
        outcome=Outcome.PASS,
        started_at=NOW,
        finished_at=NOW,
        explain=explain,
    )
    report = Report("main", "shop", "16.1", NOW, NOW, ("tables",), (run,))
    out = io.StringIO()
    print_text(report, Console(file=out, width=200), explain=True)
    told = out.getvalue().splitlines()
    at = told.index(lines[0])
    assert told[at : at + 2] == lines
