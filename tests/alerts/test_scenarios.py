"""What every alert is shown to do, by promtool."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.alerts.scenario import Scenario
from tests.alerts.scenarios import ALL


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.id)
def test_an_alert(scenario: Scenario, tmp_path: Path) -> None:
    scenario.run(tmp_path)
