"""Makes an audit: one snapshot for what the catalog and the server know, the checks, then proposals.

The checks need nothing but the catalog: they judge while the rest of the snapshot is read.
"""

from __future__ import annotations

from pgvigil.audit.decided import Decided
from pgvigil.audit.examining import Progress, judge
from pgvigil.audit.fragments import fragments
from pgvigil.audit.indexes import index_notes, scans_unknown
from pgvigil.audit.inferring import infer
from pgvigil.audit.inventory import inventoried, schemas_of, unreadable
from pgvigil.audit.model import Audit, Inventory
from pgvigil.audit.pairs import configured_pairs, proposed_pairs
from pgvigil.audit.reading import seeing
from pgvigil.audit.relations import broken_keys, mapped
from pgvigil.clock import Clock, SystemClock
from pgvigil.watch import Watch


def build_audit(
    watch: Watch,
    *,
    sampling: bool = True,
    decided: Decided | None = None,
    progress: Progress,
    clock: Clock | None = None,
) -> Audit:
    """Audit a target: read what is there, let the checks judge it, and infer what nobody wrote down.

    Without `sampling` no rows are read, but for whether a parent has any. What is `decided` is not proposed
    again. Raises TargetError when the target cannot be read, ConfigError when a setting does not fit it.
    """
    decided = decided or Decided()
    now = (clock or SystemClock()).now()
    progress("catalog", 0, 1)
    with seeing(watch) as (catalog, reading):
        progress("catalog", 1, 1)
        judged = judge(watch, catalog, rows=sampling, progress=progress)
        seen = reading.result()
    known = tuple(judged.relations.values())
    proposed = decided.undecided(
        infer(watch.target, seen.catalog, seen.statistics, known, sampling=sampling, progress=progress)
    )
    pairs = decided.pairs(configured_pairs(watch.checks, seen.catalog))
    pairs = (*pairs, *proposed_pairs(proposed.pairs, pairs))
    tables = inventoried(seen.catalog, seen.statistics)
    schemas = schemas_of(seen.catalog, tables)
    rows = {table.name: table.rows_estimated for table in tables}
    relations = decided.relations(mapped(seen.catalog, judged, proposed.relations, rows))
    return Audit(
        target=watch.target.name,
        database=seen.catalog.database,
        server_version=seen.catalog.release,
        taken_at=now,
        inventory=Inventory(
            schemas=schemas,
            tables=tables,
            foreign_keys=sum(1 for _ in seen.catalog.watched_foreign_keys()),
            broken_foreign_keys=broken_keys(relations, judged),
        ),
        relations=relations,
        entity_pairs=pairs,
        fragments=fragments(schemas, tables, relations, pairs),
        indexes=index_notes(seen.catalog, seen.statistics, relations, now),
        unknown=(*unreadable(tables), *judged.unknown, *scans_unknown(seen.statistics, now)),
        sampled=sampling,
        counters_since=seen.statistics.since,
        zones=seen.catalog.scope.zones,
        state=seen.state,
    )
