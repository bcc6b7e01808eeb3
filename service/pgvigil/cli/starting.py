"""What `pgvigil init` finds out of a database, and of what people said of it, before it writes a file."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pgvigil.audit.examining import Progress
from pgvigil.audit.inferring import infer
from pgvigil.catalog import Catalog, RelationName, TableName
from pgvigil.catalog.statistics import Statistics
from pgvigil.catalog.statistics_read import read_statistics
from pgvigil.cli.decisions import Decisions, in_words
from pgvigil.cli.output import visible
from pgvigil.config import Config
from pgvigil.config.proposed import Adopted, Proposals, Setting
from pgvigil.imports import Kind as FileKind
from pgvigil.imports import imported_relations
from pgvigil.inference import LIKELY, relevant_columns
from pgvigil.proposal import Kind, Proposal
from pgvigil.registry import Registry
from pgvigil.runner import discover
from pgvigil.watch import Watch

_SETTINGS: dict[Kind, Setting] = {Kind.RELATION: "relations", Kind.PAIR: "pairs"}


@dataclass(frozen=True, slots=True)
class Known:
    """What people say before anything is inferred: their decisions, and another tool's file with its kind.

    From a probability of `adopt` on they adopt what is inferred, unseen.
    """

    decisions: Decisions | None = None
    file: tuple[FileKind, Path] | None = None
    adopt: float | None = None

    def written_elsewhere(self, catalog: Catalog) -> dict[RelationName, Adopted]:
        """Return the relations of the file; what does not fit the catalog is told on stderr, a line each.

        Raises UsageError about the file.
        """
        if self.file is None:
            return {}
        kind, file = self.file
        imported = imported_relations(kind, file, catalog)
        for problem in imported.problems:
            sys.stderr.write(f"pgvigil: {visible(problem)}\n")
        words = f"imported from {kind} {file.name}"
        return {name: Adopted("relations", str(name), str(name), words) for name in imported.relations}


def discovered(
    watch: Watch, config: Config, registry: Registry, progress: Progress, known: Known
) -> tuple[Catalog, Proposals]:
    """Return what there is, and what seems to hold there though nobody declared it.

    Raises TargetError, and UsageError about a file.
    """
    decisions = known.decisions
    catalog = watch.target.read_catalog(watch.scope)
    written = known.written_elsewhere(catalog)
    with watch.target.snapshot("init") as snapshot:
        fetch = partial(snapshot.fetch, most_rows=None)
        statistics = read_statistics(fetch, catalog, relevant_columns(catalog))
    found = infer(watch.target, catalog, statistics, tuple(written), sampling=True, progress=progress)
    proposals = Proposals(found.relations, found.pairs)
    if decisions is not None:
        proposals = _undecided(proposals, decisions)
    proposals = replace(proposals, written_elsewhere=tuple(written.values()), adopt=known.adopt)
    unfit = {
        **dict(_unreadable(proposals, catalog, statistics)),
        **dict(_misfits(proposals, catalog, config, watch.target.name, registry)),
    }
    return catalog, replace(proposals, left_out={**dict(_compared_as_pairs(proposals, unfit)), **unfit})


def _undecided(proposals: Proposals, decisions: Decisions) -> Proposals:
    """Return what was adopted, and besides it what nobody decided on."""
    return Proposals(
        [one for one in proposals.relations if not decisions.hold(Kind.RELATION, str(one.relation))],
        [one for one in proposals.pairs if not decisions.hold(Kind.PAIR, str(one.name))],
        [_adopted(one) for one in decisions.adopted()],
    )


def _adopted(one: Proposal) -> Adopted:
    # Those of a relation are its name, those of a pair what its mapping says.
    value = dict(one.settings) if isinstance(one.settings, Mapping) else str(one.settings)
    return Adopted(_SETTINGS[one.kind], one.subject, value, in_words(one))


def _compared_as_pairs(proposals: Proposals, unfit: Container[str]) -> Iterator[tuple[str, str]]:
    """Yield the relations between the tables of a pair that is in force, or likely to be some day.

    The rows of both would be told of twice.
    """
    least = LIKELY if proposals.adopt is None else proposals.adopt
    likely = [
        (str(one.name), str(one.left), str(one.right)) for one in proposals.pairs if one.probability >= least
    ]
    adopted = [(one.subject, *_sides(one.value)) for one in proposals.adopted if one.setting == "pairs"]
    pairs = {frozenset(sides) for name, *sides in (*likely, *adopted) if name not in unfit}
    for one in proposals.relations:
        if frozenset((str(one.relation.child), str(one.relation.parent))) in pairs:
            yield str(one.relation), "the pair of the two tables says more: table_drift compares them whole"


def _sides(pair: str | Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tables that the settings of a pair name."""
    return () if isinstance(pair, str) else (pair["left"], pair["right"])


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
            match problem.path:
                case ("relations" | "pairs" as setting, int(position), *_):
                    yield proposals.subjects(setting)[position], problem.message
