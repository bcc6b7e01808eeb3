"""`pgvigil slot`: what pgvigil's replication slots keep on a server, and how to be rid of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pgvigil.changes import Namesake, Slot, SlotState, slot_name
from pgvigil.cli import source
from pgvigil.config import Config, TargetSettings
from pgvigil.errors import UsageError


def show(file: Path | None, dsn: str | None, target: str | None) -> int:
    """Tell how the slot stands, or why there can be none; raises TargetError when nobody answers.

    Returns the exit status: 2 when there can be no slot where the configuration asks for one.
    """
    with _asked(file, dsn, target) as asked:
        slot, state = asked.slot, asked.slot.state()
        obstacles = slot.obstacles()
        lines = [_stands(state, asked)]
        if not state.in_recovery:
            cannot = "there can be no slot" if asked.logical else "there could be none"
            lines += [f"{cannot}: {reason}" for reason in obstacles]
        left = leftovers(slot, state, asked.targets)
        lines += [left_over(one, asked.options) if asked.file else _found(one) for one in left]
        sys.stdout.writelines(f"{slot.target}: {line}\n" for line in lines)
        return 2 if obstacles and asked.logical else 0


def drop(file: Path | None, dsn: str | None, target: str | None, name: str | None = None) -> None:
    """Drop the target's slot if there is one, or a leftover by its name.

    Raises UsageError where there is no such leftover, TargetError when a slot stays.
    """
    with _asked(file, dsn, target) as asked:
        slot = asked.slot
        if name is None or name == slot.state().name:
            done = "was dropped" if slot.drop_if_there() else "does not exist"
        else:
            _refuse_others(name, asked)
            if not slot.drop_namesake(name):
                raise UsageError(
                    f"target {slot.target}: its server has no slot {name} of pgvigil's; "
                    f"pgvigil slot show {asked.options} lists those that there are"
                )
            done = "was dropped"
        sys.stdout.write(f"{slot.target}: {name or slot.name} {done}\n")


def leftovers(slot: Slot, state: SlotState, targets: Iterable[str]) -> list[Namesake]:
    """Return the slots on a target's server that belong to none of these targets; on a standby none does.

    Whether another target still watches the database that its slot is of is for `slot show` of that target.
    """
    namesakes = slot.namesakes()
    if state.in_recovery:
        return namesakes
    others = [target for target in targets if target != slot.target]
    return [
        one
        for one in namesakes
        if one.name != state.name and one.name not in {slot_name(other, one.database) for other in others}
    ]


def left_over(one: Namesake, options: str) -> str:
    """Say of a leftover what it keeps, and how to be rid of it; `options` lead a command to its server."""
    what = f"slot {one.name} of database {one.database} belongs to no target here ({_kept(one.retained)}"
    if one.active_pid is not None:
        return f"{what}, in use by process {one.active_pid}): another pgvigil reads it"
    return f"{what}): if no other pgvigil needs it, pgvigil slot drop {options} --slot {one.name}"


def _found(one: Namesake) -> str:
    """Say of a slot what it keeps, where no configuration tells whose it is."""
    return (
        f"slot {one.name} of database {one.database} {_kept(one.retained)}: whether a target needs it tells "
        "pgvigil slot show --config FILE"
    )


@dataclass(frozen=True)
class _Asked:
    """The slot that a command is about, and what the configuration says of it.

    `file` is None where nothing but a DSN was given.
    """

    slot: Slot
    settings: TargetSettings
    targets: tuple[str, ...]
    file: Path | None
    dsn: str | None = field(repr=False)

    @property
    def options(self) -> str:
        """What leads another command to the same target."""
        return source.options(self.file, self.dsn, self.slot.target)

    @property
    def logical(self) -> bool:
        return self.settings.changes == "logical"


def _stands(state: SlotState, asked: _Asked) -> str:
    changes, name = asked.settings.changes, f"slot {state.name}"
    if state.in_recovery:
        return "the server is a standby, and pgvigil's slot lives on the primary: let the DSN lead there"
    if not state.exists and asked.file is None:
        return "no slot, and none is asked for: without a configuration nothing sets `changes: logical`"
    if not state.exists and not asked.logical:
        return f"no slot, and none is asked for: `changes` is {changes}"
    if not state.exists:
        return (
            "no slot yet"
            if state.obstacles
            else f"no slot yet: the daemon makes {state.name} at its next tick"
        )
    if not state.ours:
        return "no slot of pgvigil's"
    if state.lost:
        return (
            f"{name} is lost: the server removed its WAL; the daemon makes a new one and looks at everything"
        )
    in_use = f", in use by process {state.active_pid}" if state.active_pid else ""
    kept = f"{name} {_kept(state.retained)}{in_use}"
    if asked.logical:
        return f"{kept}; pgvigil drops it above {megabytes(asked.settings.slot_retention)}"
    if asked.file is not None:
        return f"{kept}; `changes` is {changes}, so drop it: pgvigil slot drop {asked.options}"
    return kept


def _kept(retained: int | None) -> str:
    if retained is None:
        return "keeps nothing any more"
    if retained == 0:
        return "keeps nothing yet"
    size = f"{retained:,} bytes" if retained < 1 << 20 else megabytes(retained)
    return f"keeps {size} of WAL"


def megabytes(size: int) -> str:
    """Write a size for people: `1,024.0 MB`."""
    return f"{size / (1 << 20):,.1f} MB"


def _refuse_others(name: str, asked: _Asked) -> None:
    """Raise UsageError about the slot of another target: it is dropped by that target's name."""
    for one in asked.slot.namesakes():
        for other in asked.targets:
            if one.name == name == slot_name(other, one.database) and other != asked.slot.target:
                options = source.options(asked.file, None, other)
                raise UsageError(
                    f"{name} is the slot of target {other}: pgvigil slot drop {options} --slot {name}"
                )


@contextmanager
def _asked(file: Path | None, dsn: str | None, target: str | None) -> Iterator[_Asked]:
    config: Config = source.read(file, dsn, target=target)
    name = source.choose(config, target)
    settings = config.targets[name]
    timeout = settings.budget.statement_timeout.total_seconds()
    slot = Slot(name, settings.dsn.get_secret_value(), statement_timeout=timeout)
    try:
        yield _Asked(slot, settings, tuple(config.targets), *source.named(file, dsn))
    finally:
        slot.close()
