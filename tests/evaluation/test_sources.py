"""Half of the schemas are held back, and nobody looks at them by accident."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from evaluation.sources import SOURCES, held_back, tuned_on

ROOT = Path(__file__).parents[2]


def test_every_second_schema_by_name_is_held_back() -> None:
    names = [source.name for source in SOURCES]
    assert names == sorted(names)
    assert [source.name for source in held_back()] == names[1::2]
    assert {*held_back(), *tuned_on()} == set(SOURCES)


def test_each_half_has_at_least_eight_schemas() -> None:
    assert min(len(held_back()), len(tuned_on())) >= 8


def test_one_that_is_held_back_cannot_be_looked_at_by_itself() -> None:
    command = [sys.executable, "-m", "evaluation", "--misses", "--only", held_back()[0].name]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "held back" in answer.stderr


def test_the_final_look_shows_no_single_errors() -> None:
    command = [sys.executable, "-m", "evaluation", "--final", "--misses"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
