"""One execution of a check on several subjects together, inside one safe session.

What goes wrong is no result here: whoever is not answered for is examined alone, and there it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pgvigil.attempt import Result, RunLimits, judged
from pgvigil.batch import BatchContext
from pgvigil.catalog import Catalog
from pgvigil.check import Check, Subject
from pgvigil.context import Assistance
from pgvigil.contract import BreachError, sound_verdict
from pgvigil.errors import RecoveryConflictError
from pgvigil.pulse import Pulse
from pgvigil.target import Target


class Together:
    """One execution of a check on a batch; `conflicted` is told of a query that a standby broke off."""

    def __init__(
        self,
        target: Target,
        limits: RunLimits,
        check: Check[Any],
        subjects: Sequence[Subject],
        catalog: Catalog,
        assistance: Assistance,
        conflicted: Callable[[], None],
    ) -> None:
        self.pulse = Pulse()
        self._check = check
        self._subjects = subjects
        self._sample = limits.sample
        self._conflicted = conflicted
        self._context = BatchContext(
            target,
            check.name,
            catalog,
            sample=limits.sample,
            subjects=subjects,
            chunk_seconds=limits.chunk_seconds,
            assistance=replace(assistance, pulse=self.pulse),
        )

    @property
    def busy_seconds(self) -> float:
        """For how long the server was kept busy since the last rest."""
        return self._context.busy_seconds

    @property
    def servers(self) -> frozenset[str]:
        """Since when the servers run that were read from."""
        return frozenset(self._context.servers)

    @property
    def at_fault(self) -> str | None:
        """The subject for which all failed, where that is known."""
        return self._context.at_fault

    def abandon(self) -> None:
        """Give up on the thread that executes this, and take its connection away."""
        self._context.abandon()

    def results(self) -> dict[str, Result]:
        """Execute the check, and return what came of each subject that it answered for.

        Raises whatever the check does, a TargetError, a BrokenOffError, a CancelledError, a BreachError.
        """
        try:
            answer = self._answer()
        except RecoveryConflictError:
            self._conflicted()
            raise
        if not isinstance(answer, Mapping) or not answer.keys() <= {one.name for one in self._subjects}:
            raise BreachError("run_many returned no mapping of its subjects to verdicts")
        told = (one for one in self._subjects if one.name in answer)
        results = {one.name: self._judged(one, answer[one.name]) for one in told}
        return {name: result for name, result in results.items() if result is not None}

    def _answer(self) -> object:
        with self._context as context:
            try:
                answer = self._check.run_many(context, self._subjects)
            finally:
                context.raise_if_failed()
            context.conclude()
            return answer

    def _judged(self, subject: Subject, verdict: object) -> Result | None:
        try:
            return judged(self._check, subject, sound_verdict(verdict, self._sample))
        except BreachError:
            return None
