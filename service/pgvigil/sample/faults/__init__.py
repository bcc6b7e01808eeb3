"""The faults that can be planted in the sample, and the crisis: all of them at once.

This package knows the data model of the sample and nothing of the checks. What it planted it writes down in
an answer key, for others to compare with what the checks found.
"""

from __future__ import annotations

import psycopg

from pgvigil.sample.answer import AnswerKey
from pgvigil.sample.dice import Dice
from pgvigil.sample.faults.drift import DRIFT
from pgvigil.sample.faults.fault import Fault
from pgvigil.sample.faults.keys import KEYS
from pgvigil.sample.faults.orphans import ORPHANS
from pgvigil.sample.session import session

FAULTS: tuple[Fault, ...] = (*KEYS, *ORPHANS, *DRIFT)


def plant_crisis(dsn: str, *, seed: int = 1) -> AnswerKey:
    """Plant every fault in the sample at `dsn`, which may already hold some, and return the answer key.

    The seed decides on which rows and how many. The user has to be a superuser. Raises the errors of the
    session; then nothing was changed.
    """
    with session(dsn) as connection:
        _heal(connection)
        planted = [fault.plant(connection, Dice(seed, fault.name)) for fault in FAULTS]
    return AnswerKey.of(seed, planted)


def heal(dsn: str) -> None:
    """Undo every fault in the sample at `dsn`. Raises the errors of the session."""
    with session(dsn) as connection:
        _heal(connection)


def _heal(connection: psycopg.Connection) -> None:
    for fault in FAULTS:
        fault.heal(connection)


__all__ = ["FAULTS", "Fault", "heal", "plant_crisis"]
