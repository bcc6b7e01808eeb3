"""How pgvigil behaves on the targets: what spares runs, what it makes way for, which server it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana import words
from grafana.links import runbook
from grafana.panels import Lines, Spot, lines, over_time
from grafana.promql import rate, state, work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grafana.panels import AnyPanel


def panels(y: int) -> Iterator[AnyPanel]:
    """Yield the panels, in three rows from `y` on."""
    yield from _spared(y)
    yield from _kept(y + 8)
    yield from _standbys(y + 16)


def _spared(y: int) -> Iterator[AnyPanel]:
    spared = f"sum by (target) ({rate(work('pgvigil_runs_spared_total'))})"
    made = f"sum by (target) ({rate(work('pgvigil_runs_total'))})"
    yield lines(
        Spot(
            at=(0, y, 8, 8),
            title="Subjects spared",
            description="The share of subjects that were not examined, as nothing had been written "
            "since they were. 0 % on a target that is written to all the time.",
        ),
        [over_time(f"{spared} / ({spared} + {made} > 0)", "{{target}}")],
        Lines(unit="percentunit", top=1, steps=False, missing="no ticks"),
    )
    configured = state("pgvigil_changes_as_configured")
    in_force = f"({state('pgvigil_changes_in_force')} == 1)"
    yield lines(
        Spot(
            at=(8, y, 8, 8),
            title="Not watched as configured",
            description="1 where `changes` of a target is not in force, by what is: `logical` is "
            "configured and no slot can be read, or the server does not tell its position. "
            "The console says why.",
            links=[runbook("PgvigilChangesNotInForce")],
        ),
        [
            over_time(
                f"{in_force} * on (job, target) group_left (configured) (1 - {configured})",
                "{{target}}: {{changes}}, configured {{configured}}",
            )
        ],
        Lines(missing="no ticks", limit=(1, words.WARNING)),
    )
    age = f"(time() - {state('pgvigil_oldest_full_look_timestamp_seconds')})"
    every = state("pgvigil_full_every_seconds")
    yield lines(
        Spot(
            at=(16, y, 8, 8),
            title="Oldest whole look",
            description="How long ago the subject was examined as a whole that was so the longest ago, "
            "as a share of `full_every`. In between it was spared, or judged by what was "
            "written.",
        ),
        [
            over_time(
                f"max by (target, check) ({age} / on (job, target) group_left () {every})",
                "{{target}} {{check}}",
            )
        ],
        Lines(unit="percentunit", steps=False, limit=(1, words.WARNING), missing="no change gate"),
    )


def _kept(y: int) -> Iterator[AnyPanel]:
    yield lines(
        Spot(
            at=(0, y, 8, 8),
            title="Paused, by limit",
            description="The share of the time in which pgvigil stood still to make way for others, by "
            "the limit of `budget.pause` that was exceeded. 50 % is the most.",
            links=[runbook("PgvigilPausesLong")],
        ),
        [
            over_time(
                f"sum by (target, reason) ({rate(work('pgvigil_target_paused_seconds_total'))})",
                "{{target}} {{reason}}",
            )
        ],
        Lines(unit="percentunit", top=1, steps=False, limit=(0.25, words.WARNING)),
    )
    swept = f"(time() - {state('pgvigil_last_sweep_timestamp_seconds')})"
    interval = state("pgvigil_interval_seconds")
    yield lines(
        Spot(
            at=(8, y, 8, 8),
            title="Age of the last whole sweep, in intervals",
            description="How long ago a sweep over all subjects began that came to its end. Above 2 "
            "where the end of the daily window breaks every sweep off.",
            links=[runbook("PgvigilWindowTooShort")],
        ),
        [
            over_time(
                f"max by (target, check) ({swept} / on (job, target, check) {interval})",
                "{{target}} {{check}}",
            )
        ],
        Lines(unit="none", steps=False, limit=(2, words.WARNING)),
    )
    kept = state("pgvigil_slot_retained_bytes")
    allowed = state("pgvigil_slot_retention_bytes")
    everywhere = state("pgvigil_target_up")
    yield lines(
        Spot(
            at=(16, y, 8, 8),
            title="WAL kept by slots",
            description="What each replication slot keeps, as a share of `slot_retention`: there "
            "pgvigil drops it and looks at everything. 0 % where a target has no slot.",
            links=[runbook("PgvigilSlotFallsBehind")],
        ),
        [
            over_time(
                f"{kept} / on (job, target) {allowed} or on (job, target) 0 * {everywhere}", "{{target}}"
            )
        ],
        Lines(unit="percentunit", steps=False, limit=(0.8, words.WARNING), missing="no targets"),
    )


def _standbys(y: int) -> Iterator[AnyPanel]:
    everywhere = state("pgvigil_target_up")
    unread = state("pgvigil_target_standby_unread_seconds")
    yield lines(
        Spot(
            at=(0, y, 12, 8),
            title="Standby tried in vain",
            description="For how long no row could be read on a target's standby, at the last try to. 0 "
            "where it was read, or a target has none. The console says why, and whether its primary "
            "is read instead.",
            links=[runbook("PgvigilStandbyNotRead")],
        ),
        [over_time(f"{unread} or on (job, target) 0 * {everywhere}", "{{target}}")],
        Lines(unit="s", limit=(900, words.WARNING), missing="no targets"),
    )
    lag = state("pgvigil_target_standby_lag_seconds")
    yield lines(
        Spot(
            at=(12, y, 12, 8),
            title="Waited for the standby",
            description="How long a target's standby took, at the last tick, to replay what the primary had "
            "written. `max_lag` is the most. 0 where a target has none, or it could not be read.",
        ),
        [over_time(f"{lag} or on (job, target) 0 * {everywhere}", "{{target}}")],
        Lines(unit="s", steps=False, missing="no targets"),
    )
