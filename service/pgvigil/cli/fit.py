"""What of a target's settings does not fit its server: what cannot work, and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeAlias

from pgvigil.changes import Slot, SlotState
from pgvigil.check import load_sql
from pgvigil.cli import source
from pgvigil.cli.slot import left_over, leftovers, megabytes
from pgvigil.config import Config, TargetSettings, joined
from pgvigil.errors import ConfigError, QueryFailedError
from pgvigil.sensor import Sensor, Signal, Signals
from pgvigil.watch import Watch

Leftover: TypeAlias = tuple[str, str]
"""A slot that belongs to no target: its server, and its name."""


def fit(config: Config, watch: Watch, file: Path, told: set[Leftover]) -> list[str]:
    """Return what is doubtful about a target's settings, of a file, on its server; one line each.

    `told` are leftovers that another target on the server has told of already; those of this one are added.
    Raises ConfigError with all that cannot work there, or TargetError when it does not answer.
    """
    settings = config.targets[watch.target.name]
    timeout = settings.budget.statement_timeout.total_seconds()
    with closing(Slot(watch.target.name, settings.dsn.get_secret_value(), statement_timeout=timeout)) as slot:
        if errors := [*_misfits(settings, watch, slot)]:
            raise joined(errors)
        doubts = [str(error) for error in _invisible(settings, watch)]
        # What speaks PostgreSQL's protocol without its views has no slots, and may be watched nevertheless.
        with suppress(QueryFailedError):
            state = slot.state()
            doubts += [str(error) for error in _retention(settings, watch, state)]
            left = {(one.server, one.name): one for one in leftovers(slot, state, config.targets)}
            options = source.options(file, None, slot.target)
            new = [one for key, one in left.items() if key not in told]
            doubts += [f"{slot.target}: {left_over(one, options)}" for one in new]
            told.update(left)
        return doubts


def _misfits(settings: TargetSettings, watch: Watch, slot: Slot) -> Iterator[ConfigError]:
    if settings.changes == "logical":
        for reason in slot.obstacles():
            yield watch.complain(("changes",), f"logical cannot work: {reason}")
    left = settings.budget.pause.connections_left
    room, _ = _room(watch)
    if left is not None and left >= room:
        yield watch.complain(
            ("budget", "pause", "connections_left"),
            f"is {left}, and the server has {room} connections in all: every sweep would pause",
        )


def _retention(settings: TargetSettings, watch: Watch, state: SlotState) -> Iterator[ConfigError]:
    if settings.changes == "logical" and state.bound is not None and settings.slot_retention >= state.bound:
        yield watch.complain(
            ("slot_retention",),
            f"is {megabytes(settings.slot_retention)}, and the server takes the WAL away at "
            f"{megabytes(state.bound)} (max_slot_wal_keep_size): make it less",
        )


def _invisible(settings: TargetSettings, watch: Watch) -> Iterator[ConfigError]:
    """Yield the limits that hold nothing, as the role cannot see what they are about."""
    pause = settings.budget.pause
    limits = [signal for signal in Signal if getattr(pause, signal.value) is not None]
    seen: Signals = {}
    with suppress(QueryFailedError):
        seen = Sensor(watch.target, settings.dsn.get_secret_value())()
    _, role = _room(watch)
    for signal in limits:
        if seen.get(signal) is None:
            yield watch.complain(("budget", "pause", signal.value), f"pauses nothing: {signal.unseen(role)}")


def _room(watch: Watch) -> tuple[int, str]:
    with watch.target.snapshot("config") as snapshot:
        [row] = snapshot.fetch(load_sql("pgvigil.cli", "room.sql"))
    return row["room"], row["role"]
