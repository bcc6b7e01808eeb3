"""The page keeps its prose, and says what was measured of each half."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from evaluation import misses, report
from evaluation.fill import Filled
from evaluation.judging import WAYS
from evaluation.results import UNINDEXED, Result
from evaluation.sources import SOURCES

from tests.evaluation.made import judged, relation

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def result() -> Result:
    ways = (*WAYS, UNINDEXED)
    made = tuple(judged("abc", way, a=0.99, b=0.95, d=0.97) for way in ways)
    return Result(SOURCES[0], 3, Filled(5, 1200, ("s.lonely",)), made)


def test_the_tables_go_between_the_markers(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n\n<!-- evaluation -->\nof yesterday\n<!-- end -->\nThe end.\n", encoding="utf-8"
    )
    monkeypatch.setattr(report, "_PAGE", page)
    monkeypatch.setattr(report, "_ROOT", tmp_path)
    monkeypatch.setattr(report, "_git", lambda *_: "")
    halves = {report.TUNED_ON: [result, result], report.HELD_BACK: [result]}
    report.write(halves, replace(result, judged=result.judged[:3]), {"gone": "pip failed: no such package"})
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Title\n\n<!-- evaluation -->\n")
    assert text.endswith("<!-- end -->\nThe end.\n")
    assert "of yesterday" not in text
    assert "| F1 with sampling | 0.93 | 0.667 | 0.667 |" in text
    assert "| **micro** | 6 | 0.667 / 0.667 / **0.667** |" in text
    assert "are proposed: 2 names only, 2 with statistics, 2 with sampling." in text
    assert "**gone was left out**: pip failed: no such package" in text
    assert f"- airflow, 0.97: `{relation('d')}`" in text
    assert "| airflow | Apache Airflow 3.3.2, its models | 5 | 1 | 1,200 |" in text


def test_misses_name_what_was_proposed_instead() -> None:
    lines = list(misses.lines(judged("ab", a=0.9, c=0.6)))
    assert lines[0].startswith("schema, names: precision 0.500, recall 0.500, F1 0.500; 1 right, 1 wrong")
    assert any(line.split() == ["wrong", "0.600", *str(relation("c")).split(), "(0/0)"] for line in lines)
    assert f"  missed        {relation('b')}" in lines
