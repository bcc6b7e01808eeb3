"""What `pgvigil init` finds out of a database before it writes a file about it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pgvigil.audit.examining import Progress
from pgvigil.audit.inferring import infer
from pgvigil.catalog import Catalog, TableName
from pgvigil.catalog.statistics import Statistics
from pgvigil.catalog.statistics_read import read_statistics
from pgvigil.config import Config, Proposals
from pgvigil.inference import LIKELY, relevant_columns
from pgvigil.registry import Registry
from pgvigil.runner import discover
from pgvigil.watch import Watch


def discovered(
    watch: Watch, config: Config, registry: Registry, progress: Progress
) -> tuple[Catalog, Proposals]:
    """Return what there is, and what seems to hold there though nobody declared it; raises TargetError."""
    catalog = watch.target.read_catalog(watch.scope)
    with watch.target.snapshot("init") as snapshot:
        fetch = partial(snapshot.fetch, most_rows=None)
        statistics = read_statistics(fetch, catalog, relevant_columns(catalog))
    found = infer(watch.target, catalog, statistics, (), sampling=True, progress=progress)
    proposals = Proposals(found.relations, found.pairs)
    left_out = {
        **dict(_compared_as_pairs(proposals)),
        **dict(_unreadable(proposals, catalog, statistics)),
        **dict(_misfits(proposals, catalog, config, watch.target.name, registry)),
    }
    return catalog, Proposals(found.relations, found.pairs, left_out)


def _compared_as_pairs(proposals: Proposals) -> Iterator[tuple[str, str]]:
    """Yield the relations between the keys of a likely pair, whose rows would be told of twice."""
    likely = {frozenset((one.left, one.right)) for one in proposals.pairs if one.probability >= LIKELY}
    for one in proposals.relations:
        if frozenset((one.relation.child, one.relation.parent)) in likely:
            yield str(one.relation), "table_drift compares the two tables whole"


def _unreadable(proposals: Proposals, catalog: Catalog, statistics: Statistics) -> Iterator[tuple[str, str]]:
    """Yield the subjects of which a table may not be read: the checks would say so of a setting."""
    tables = {
        **{str(one.relation): (one.relation.child, one.relation.parent) for one in proposals.relations},
        **{str(one.name): (one.left, one.right) for one in proposals.pairs},
    }
    for subject, both in tables.items():
        for name in both:
            if not _is_readable(name, catalog, statistics):
                yield subject, f"the role may not read all of {name}"


def _is_readable(name: TableName, catalog: Catalog, statistics: Statistics) -> bool:
    table = catalog.table(name)
    known = statistics.tables.get(table.oid) if table else None
    return known is not None and known.readable


def _misfits(
    proposals: Proposals, catalog: Catalog, config: Config, target: str, registry: Registry
) -> Iterator[tuple[str, str]]:
    """Yield the subjects that a check would refuse as a setting, and why."""
    settings = config.targets[target].model_copy(update={"checks": proposals.settings()})
    checks = registry.bind(config.model_copy(update={"targets": {target: settings}}), target)
    for name in proposals.settings():
        if name not in checks:
            continue
        for problem in discover(checks[name], catalog).problems:
            setting, position, *_ = problem.path
            yield proposals.subjects(str(setting))[int(position)], problem.message
