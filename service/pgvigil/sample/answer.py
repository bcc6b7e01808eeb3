"""The answer key: all that was planted, and what a monitor should therefore report."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pgvigil.sample.expected import Comparison, Expected, Reported, compare, expectations
from pgvigil.sample.planted import BROKEN_KEYS, Drift, Kind, Planted, drift_of


@dataclass(frozen=True)
class AnswerKey:
    """All faults that are in the database at a moment, in the order of their names."""

    seed: int
    planted: tuple[Planted, ...]

    @classmethod
    def of(cls, seed: int, planted: Iterable[Planted]) -> AnswerKey:
        """Make the key of faults in whatever order."""
        return cls(seed, tuple(sorted(planted, key=lambda one: one.fault)))

    def fault(self, name: str) -> Planted:
        """Return the planted fault of that name; KeyError when it is not there."""
        return {planted.fault: planted for planted in self.planted}[name]

    def broken_keys(self) -> tuple[Planted, ...]:
        """List the foreign keys that do not protect, or did not, the missing one among them."""
        return tuple(planted for planted in self.planted if planted.kind in BROKEN_KEYS)

    def orphans(self) -> dict[str, int]:
        """Count the rows at fault of every relation that has some, declared or not."""
        return {p.relation: p.rows for p in self.planted if p.relation and p.rows}

    def drift(self) -> Drift:
        """Add up how the game pair differs."""
        return drift_of(self.planted)

    def expected(self) -> tuple[Expected, ...]:
        """List the findings, of severity warning or above, that a correct monitor reports."""
        return expectations(self.planted)

    def compare(self, reported: Iterable[Reported]) -> Comparison:
        """Hold a report against the key; each finding of it as check, subject, severity, count."""
        return compare(self.expected(), reported)

    def to_json(self) -> str:
        """Write the key as one JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, text: str) -> AnswerKey:
        """Read what `to_json` wrote."""
        document = json.loads(text)
        return cls(seed=document["seed"], planted=tuple(map(_planted, document["planted"])))


def _planted(fields: dict[str, Any]) -> Planted:
    sequences = {name: tuple(fields[name]) for name in ("tables", "columns", "keys")}
    return Planted(**{**fields, **sequences, "kind": Kind(fields["kind"])})
