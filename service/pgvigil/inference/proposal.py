"""What is proposed to a person: relations and entity pairs, each with its probability and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgvigil.catalog import PairName, RelationName, TableName


@dataclass(frozen=True, slots=True)
class ProposedRelation:
    """A relation that nobody declared or configured.

    `probability` lies between 0 and 1; `evidence` says in words what speaks for it and against it, the
    weightiest first, with names and counts but never a value from a row. `condition` is of a polymorphic
    relation: the child's column and the value that names this parent. `found` and `sampled` are how many of
    the values that were looked up had a parent; both 0 where none were.
    """

    relation: RelationName
    probability: float
    evidence: tuple[str, ...]
    condition: tuple[str, str] | None = None
    found: int = 0
    sampled: int = 0


@dataclass(frozen=True, slots=True)
class ProposedPair:
    """Two tables that seem to hold the same entity.

    `key` maps the left key columns to the right ones, `columns` the compared ones. `tolerance` is what
    today's data would need, by left column: a number, or a duration such as `15m`. `referenced` is the side
    that other tables refer to, `fresher` the one that is written to more recently: "left", "right", or ""
    where it is neither or both.
    """

    left: TableName
    right: TableName
    probability: float
    key: Mapping[str, str]
    columns: Mapping[str, str]
    evidence: tuple[str, ...]
    tolerance: Mapping[str, float | str] = field(default_factory=dict)
    referenced: str = ""
    fresher: str = ""

    @property
    def name(self) -> PairName:
        """What the pair is called as a subject."""
        return PairName(self.left, self.right)


def as_percent(probability: float) -> str:
    """Write a probability as `97%`; what is nearly certain as `>99%`, since nothing that is proposed is."""
    written = f"{probability:.0%}"
    return ">99%" if written == "100%" else written


def as_figure(probability: float) -> str:
    """Write a probability as `0.97`; what is nearly certain as `>0.99`."""
    written = f"{probability:.2f}"
    return ">0.99" if written == "1.00" else written
