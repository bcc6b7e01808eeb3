"""The sample database: a crisis of data integrity, rebuilt.

`build` makes it healthy, `plant_crisis` breaks it and returns what was broken (the answer key), `heal` mends
it, `Motion` keeps it changing, and `configuration` is how its team would have it watched.
"""

from pgvigil.sample.answer import AnswerKey
from pgvigil.sample.build import build
from pgvigil.sample.configuration import configuration
from pgvigil.sample.expected import Comparison, Expected
from pgvigil.sample.faults import heal, plant_crisis
from pgvigil.sample.motion import Motion
from pgvigil.sample.planted import Drift, Kind, Planted

__all__ = [
    "AnswerKey",
    "Comparison",
    "Drift",
    "Expected",
    "Kind",
    "Motion",
    "Planted",
    "build",
    "configuration",
    "heal",
    "plant_crisis",
]
