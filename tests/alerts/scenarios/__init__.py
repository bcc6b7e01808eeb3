"""What every alert is shown to do."""

from tests.alerts.scenario import Scenario
from tests.alerts.scenarios import deployments, drift, incidents, itself, slo, targets

ALL: list[Scenario] = [
    *incidents.SCENARIOS,
    *drift.SCENARIOS,
    *deployments.SCENARIOS,
    *targets.SCENARIOS,
    *itself.SCENARIOS,
    *slo.SCENARIOS,
]
