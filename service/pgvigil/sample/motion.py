"""Faults that keep appearing, growing, shrinking and healing, so that a demonstration moves."""

from __future__ import annotations

from psycopg.errors import LockNotAvailable

from pgvigil.errors import QueryFailedError
from pgvigil.sample.answer import AnswerKey
from pgvigil.sample.dice import Dice
from pgvigil.sample.faults import FAULTS, Fault
from pgvigil.sample.planted import Planted
from pgvigil.sample.session import session

# In how many steps a gradual fault comes and goes.
_LEVELS = 4
# A step gives way to whoever reads the tables, long before they would give up on it.
_LOCK_TIMEOUT = "300ms"


class Motion:
    """A walk of the sample at `dsn` through its faults: one after the other appears or heals by and by.

    The steps depend on the seed and on what is planted at the beginning, which `answer` says: nothing, when
    it is None. Every fault that is in it is taken to be there in full.
    """

    def __init__(self, dsn: str, seed: int, answer: AnswerKey | None = None) -> None:
        self._dsn = dsn
        self._seed = seed
        self._dice = Dice(seed, "motion")
        self._planted = {planted.fault: planted for planted in answer.planted} if answer else {}
        self._levels = {fault.name: _top(fault) for fault in FAULTS if fault.name in self._planted}
        self._on_its_way: tuple[Fault, int] | None = None

    @property
    def answer(self) -> AnswerKey:
        """What is planted now."""
        return AnswerKey.of(self._seed, self._planted.values())

    def step(self) -> str:
        """Move one fault, in one transaction, and say in one line what was done.

        A fault whose tables are in use stays as it is, and so does every fault when the session raises one of
        its errors: the next step may be taken all the same.
        """
        fault, direction = self._on_its_way or self._set_out()
        self._on_its_way = None
        level = self._levels.get(fault.name, 0) + direction
        try:
            planted = self._move(fault, level)
        except QueryFailedError as error:
            if error.sqlstate != LockNotAvailable.sqlstate:
                raise
            return f"left {fault.name} as it is: somebody else uses its tables"
        if 0 < level < _top(fault):
            self._on_its_way = fault, direction
        before = self._planted.get(fault.name)
        self._remember(fault, level, planted)
        return _describe(fault, before, planted)

    def _set_out(self) -> tuple[Fault, int]:
        """Choose the next fault, to heal if it is there and else to appear."""
        fault = self._dice.pick(FAULTS)
        return fault, -1 if self._levels.get(fault.name) else 1

    def _move(self, fault: Fault, level: int) -> Planted | None:
        with session(self._dsn, lock_timeout=_LOCK_TIMEOUT) as connection:
            fault.heal(connection)
            if level == 0:
                return None
            return fault.plant(connection, Dice(self._seed, fault.name), level / _top(fault))

    def _remember(self, fault: Fault, level: int, planted: Planted | None) -> None:
        self._levels[fault.name] = level
        if planted is None:
            self._planted.pop(fault.name, None)
        else:
            self._planted[fault.name] = planted


def _top(fault: Fault) -> int:
    return _LEVELS if fault.gradual else 1


def _describe(fault: Fault, before: Planted | None, planted: Planted | None) -> str:
    if planted is None:
        return f"healed {fault.name}: {fault.description}"
    if before is None:
        rows = f" ({planted.rows} rows)" if planted.rows else ""
        return f"planted {fault.name}: {fault.description}{rows}"
    return f"moved {fault.name} from {before.rows} to {planted.rows} rows: {fault.description}"
