"""Orphan rows by schema and age, and the foreign keys that do not protect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana import faults, words
from grafana.frame import framed, serialized
from grafana.links import console, runbook
from grafana.panels import Lines, Look, Spot, bars, big, lines, now, over_time
from grafana.promql import CONFIRMED, fault_age, or_zero, schema_of, state
from grafana.tables import listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grafana.panels import AnyPanel

_ORPHANS = 'check="orphan_rows"'
_KEYS = 'check="foreign_keys"'
_BOTH = 'check=~"orphan_rows|foreign_keys"'
_ORPHAN_ROWS = state(faults.VIOLATIONS, _ORPHANS, CONFIRMED)
_AGES = {
    "under an hour": (0, 3600),
    "an hour to a day": (3600, 86400),
    "a day to a week": (86400, 604800),
    "over a week": (604800, None),
}


def build() -> str:
    """Return the dashboard's JSON."""
    frame = framed(
        "pgvigil-relations",
        "pgvigil: relations",
        "Child rows whose parent does not exist, and foreign keys that do not protect.",
        "now-24h",
    )
    return serialized(frame, [*_totals(), *_by_schema_and_age(), *_one_by_one()])


def _of_age(low: float, high: float | None) -> str:
    """Return the orphan rows of incidents that were first seen so long ago, in seconds."""
    how_old = fault_age(_ORPHANS, CONFIRMED)
    young = "" if high is None else f" and ({how_old} < {high})"
    return or_zero(f"sum({_ORPHAN_ROWS} and ({how_old} >= {low}){young})")


def _totals() -> Iterator[AnyPanel]:
    yield big(
        Spot(
            at=(0, 0, 5, 4),
            title="Orphan rows",
            description="Child rows without a parent in confirmed incidents, muted ones too.",
            links=[console("Incidents", "/incidents?check=orphan_rows"), runbook("PgvigilOrphanRows")],
        ),
        now(_all_orphans()),
        Look(thresholds=words.none_or(words.CRITICAL)),
    )
    yield big(
        Spot(
            at=(5, 0, 5, 4),
            title="Relations with orphans",
            description="Relations of which at least one child row has no parent.",
            links=[runbook("PgvigilOrphanRows")],
        ),
        now(_if_known(f"count(sum by (job, target, subject) ({_ORPHAN_ROWS}))")),
        Look(thresholds=words.none_or(words.CRITICAL)),
    )
    yield big(
        Spot(
            at=(10, 0, 5, 4),
            title="Keys that do not protect",
            description="Foreign keys with a confirmed fault, critical or a warning: not valid, not "
            "enforced, triggers disabled, index invalid, wrong parent, missing.",
            links=[
                console("Incidents", "/incidents?check=foreign_keys"),
                runbook("PgvigilForeignKeyNotProtecting"),
            ],
        ),
        now(_if_known(f"count(sum by (job, target, subject) ({_faulty_keys()}))")),
        Look(thresholds=words.none_or(words.CRITICAL)),
    )
    yield big(
        Spot(
            at=(15, 0, 5, 4),
            title="Unknown relations",
            description="Relations and keys that could not be examined.",
            links=[runbook("PgvigilCoverageUnknown")],
        ),
        now(f"sum({state('pgvigil_subjects', _BOTH, state='unknown')})"),
        Look(thresholds=words.none_or(words.UNKNOWN)),
    )
    yield big(
        Spot(
            at=(20, 0, 4, 4),
            title="Oldest fault",
            description="How long ago the oldest confirmed incident of these checks was first seen.",
        ),
        now(f"max({fault_age(_BOTH, CONFIRMED)})"),
        Look(
            unit="s",
            decimals=1,
            missing="no fault",
            thresholds=words.thresholds(
                (0, words.ATTENDED), (86400, words.WARNING), (604800, words.CRITICAL)
            ),
            mappings=(),
        ),
    )


def _all_orphans() -> str:
    return _if_known(f"sum({_ORPHAN_ROWS})")


def _faulty_keys() -> str:
    return state(faults.VIOLATIONS, _KEYS, CONFIRMED, 'severity=~"critical|warning"')


def _if_known(count: str) -> str:
    """Return a count, 0 when there are no such series but the checks are known, nothing when they are not."""
    return f"{count} or (0 * sum({state('pgvigil_subjects', _BOTH)}))"


def _by_schema_and_age() -> Iterator[AnyPanel]:
    by_schema = f"sum by (schema) ({schema_of(_ORPHAN_ROWS)})"
    yield lines(
        Spot(
            at=(0, 4, 10, 9),
            title="Orphan rows by schema",
            description="By the schema of the child table. Dashed lines are deployments.",
            links=[runbook("PgvigilOrphanRows")],
        ),
        [over_time(by_schema, "{{schema}}"), over_time(_all_orphans(), "all schemas", "B")],
        Lines(),
    )
    yield bars(
        Spot(
            at=(10, 4, 7, 9),
            title="By schema, now",
            description="Orphan rows by the schema of the child table.",
        ),
        [now(f"sort_desc({by_schema})", "{{schema}}"), now(_all_orphans(), "all schemas", "B")],
        words.thresholds((0, words.PASSED), (1, words.CRITICAL)),
    )
    yield bars(
        Spot(
            at=(17, 4, 7, 9),
            title="By age, now",
            description="Orphan rows by how long ago their incident was first seen.",
        ),
        [
            now(_of_age(*ages), name, chr(ord("A") + index))
            for index, (name, ages) in enumerate(_AGES.items())
        ],
        words.thresholds((0, words.PASSED), (1, words.CRITICAL)),
    )


def _one_by_one() -> Iterator[AnyPanel]:
    yield listing(
        Spot(
            at=(0, 13, 24, 10),
            title="Relations with orphan rows",
            description="Suspects are shown, too: they have not been confirmed yet. Subjects lead to the "
            "console.",
            links=[console("Incidents", "/incidents?check=orphan_rows"), runbook("PgvigilOrphanRows")],
        ),
        faults.columns(_ORPHANS, check="orphan_rows"),
        sort=faults.WORST_FIRST,
        empty="No orphan row is known.",
        hidden=faults.hidden("orphan_rows"),
    )
    yield listing(
        Spot(
            at=(0, 23, 24, 9),
            title="Foreign keys with faults or notes",
            description="What keeps a key from protecting its table; of severity info, what could be better "
            "about one that does. Subjects lead to the console.",
            links=[
                console("Incidents", "/incidents?check=foreign_keys"),
                runbook("PgvigilForeignKeyNotProtecting"),
                runbook("PgvigilForeignKeyNote"),
            ],
        ),
        faults.columns(_KEYS, check="foreign_keys"),
        sort=faults.WORST_FIRST,
        empty="Nothing is known against any foreign key.",
        hidden=faults.hidden("foreign_keys"),
    )
    yield lines(
        Spot(
            at=(0, 32, 24, 7),
            title="Relations and keys by what is known of them",
            description="A gap means that nobody was looking.",
            links=[runbook("PgvigilCoverageUnknown")],
        ),
        [over_time(f"sum by (state) ({state('pgvigil_subjects', _BOTH)})", "{{state}}")],
        Lines(colors=words.COVERAGE, stacked=True),
    )
