"""Orphans counted in one snapshot: exact strategies with preconditions and costs, and who chooses."""

from pgvigil_checks.orphans.facts import Facts, gather_facts
from pgvigil_checks.orphans.planner import STRATEGIES, NoneFinishedError, Plan, make_plan
from pgvigil_checks.orphans.strategy import Counted, Strategy

__all__ = [
    "STRATEGIES",
    "Counted",
    "Facts",
    "NoneFinishedError",
    "Plan",
    "Strategy",
    "gather_facts",
    "make_plan",
]
