"""What every alert is shown to do."""

from tests.alerts.scenario import Scenario
from tests.alerts.scenarios import (
    checks,
    deployments,
    drift,
    guest,
    incidents,
    itself,
    notifier,
    slo,
    targets,
)

ALL: list[Scenario] = [
    *incidents.SCENARIOS,
    *drift.SCENARIOS,
    *deployments.SCENARIOS,
    *targets.SCENARIOS,
    *checks.SCENARIOS,
    *guest.SCENARIOS,
    *itself.SCENARIOS,
    *notifier.SCENARIOS,
    *slo.SCENARIOS,
]
