"""Makes an audit: one snapshot for what the catalog and the server know, the checks, then proposals.

The checks need nothing but the catalog: they judge while the rest of the snapshot is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from pgvigil.audit.decided import Decided
from pgvigil.audit.examining import Progress, judge
from pgvigil.audit.fragments import fragments
from pgvigil.audit.indexes import index_notes, scans_unknown
from pgvigil.audit.inferring import infer
from pgvigil.audit.inventory import inventoried, schemas_of, unreadable
from pgvigil.audit.model import Audit, Inventory
from pgvigil.audit.pairs import configured_pairs, proposed_pairs
from pgvigil.audit.relations import broken_keys, mapped
from pgvigil.catalog import Catalog, SchemaState, catalog_queries, constraints_query, made_catalog, made_state
from pgvigil.catalog.statistics import Statistics
from pgvigil.catalog.statistics_read import read_statistics
from pgvigil.check import Row
from pgvigil.clock import Clock, SystemClock
from pgvigil.inference import relevant_columns
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
    with _seeing(watch) as (catalog, seeing):
        progress("catalog", 1, 1)
        judged = judge(watch, catalog, rows=sampling, progress=progress)
        seen = seeing.result()
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one snapshot has shown."""

    catalog: Catalog
    state: SchemaState
    statistics: Statistics


@contextmanager
def _seeing(watch: Watch) -> Iterator[tuple[Catalog, Future[_Seen]]]:
    """Read the catalog, and the rest of its snapshot on another thread; raises TargetError."""
    with ThreadPoolExecutor(1, thread_name_prefix="audit") as reader, ExitStack() as stack:
        snapshot = stack.enter_context(watch.target.snapshot("audit"))
        fetch = partial(snapshot.fetch, most_rows=None)
        catalog = made_catalog([fetch(query) for query in catalog_queries()], watch.scope)
        # The snapshot ends with what is read of it, however long the checks take.
        yield catalog, reader.submit(_seen, stack.pop_all(), fetch, catalog)


def _seen(snapshot: ExitStack, fetch: Callable[..., list[Row]], catalog: Catalog) -> _Seen:
    with snapshot:
        state = made_state(catalog, fetch(constraints_query()))
        return _Seen(catalog, state, read_statistics(fetch, catalog, relevant_columns(catalog)))
