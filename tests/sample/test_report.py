"""The checks and the answer key, which know nothing of each other, agree on what is wrong with the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.assembly import build_watch
from pgvigil.config import Config, load
from pgvigil.once import check_once
from pgvigil.registry import Registry
from pgvigil.sample import AnswerKey, Comparison, Motion, configuration, heal, plant_crisis

if TYPE_CHECKING:
    from pathlib import Path

SOUND = AnswerKey(1, ())
AGREED = Comparison((), ())


def compared(config: Config, answer: AnswerKey) -> Comparison:
    """Sweep the only target of a configuration once, in full, and hold the report against the answer key."""
    (name,) = config.targets
    watch = build_watch(config, name, Registry.load(), urgent=True)
    try:
        report = check_once(watch)
    finally:
        watch.target.close()
    assert [run for run in report.runs if not run.outcome.completed] == []
    found = [(run.check, run.subject, finding.severity, finding.count) for run, finding in report.findings]
    return answer.compare(found)


@pytest.fixture
def configured(sample: str, tmp_path: Path) -> Config:
    """The sample as its team has it watched."""
    file = tmp_path / "pgvigil.yaml"
    file.write_text(configuration(sample), encoding="utf-8")
    return load(file)


@pytest.mark.every_pg
def test_each_fault_is_reported_and_none_that_was_not_planted(sample: str, configured: Config) -> None:
    assert compared(configured, SOUND) == AGREED
    assert compared(configured, plant_crisis(sample, seed=1)) == AGREED
    assert compared(configured, plant_crisis(sample, seed=2)) == AGREED
    heal(sample)
    assert compared(configured, SOUND) == AGREED


def test_with_only_a_dsn_all_that_the_database_declares_is_reported(sample: str) -> None:
    config = Config.from_dsn(sample)
    assert compared(config, SOUND) == AGREED
    planted = plant_crisis(sample, seed=1).planted
    assert compared(config, AnswerKey.of(1, (one for one in planted if not one.configured))) == AGREED


def test_the_report_moves_with_the_faults(sample: str, configured: Config) -> None:
    motion = Motion(sample, 1, plant_crisis(sample, seed=1))
    for _ in range(4):
        for _ in range(9):
            motion.step()
        assert compared(configured, motion.answer) == AGREED
