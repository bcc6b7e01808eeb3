"""One schema's evaluation: made, filled, judged in each way."""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.databases import Databases, catalog_of
from evaluation.fill import Filled
from evaluation.judging import SAMPLING, WAYS, Judged, declared, judge
from evaluation.sources import Source

UNINDEXED = "unindexed"
"""With sampling, on a copy without the indexes that begin with a referencing column."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a schema: how many keys were declared, what was filled, what is proposed in each way."""

    source: Source
    keys: int
    filled: Filled
    judged: tuple[Judged, ...]

    def by(self, way: str) -> Judged:
        """Return what is proposed in one way."""
        return next(one for one in self.judged if one.way == way)


def evaluate(
    databases: Databases, source: Source, ways: tuple[str, ...] = WAYS, *, unindexed: bool = False
) -> Result:
    """Evaluate a schema; raises NotMadeError when its tables cannot be made at the moment."""
    filling = databases.filled(source)
    catalog = catalog_of(filling.dsn)
    truth = declared(catalog)
    judged = judge(source.name, databases.without_keys(source, catalog), truth, ways)
    if unindexed:
        bare = databases.without_keys(source, catalog, indexes=False)
        judged += [renamed(one, UNINDEXED) for one in judge(source.name, bare, truth, (SAMPLING,))]
    return Result(source, len(truth), filling.filled, tuple(judged))


def renamed(judged: Judged, way: str) -> Judged:
    """Return what was judged under another name for its way."""
    return Judged(judged.schema, way, judged.declared, judged.proposals, judged.seconds)
