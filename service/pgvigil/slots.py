"""The slots of the targets that are watched with `changes: logical`."""

from __future__ import annotations

import threading
from contextlib import closing

from pgvigil.changes import Changes, Slot
from pgvigil.config import TargetSettings
from pgvigil.errors import TargetError
from pgvigil.logs import get_logger

log = get_logger(__name__)


def changes_of(name: str, settings: TargetSettings) -> Changes:
    """Return what tells of the changes of a target; nothing is connected yet."""
    full_seconds = settings.full_every.total_seconds()
    return Changes(_slot(name, settings), retention=settings.slot_retention, full_seconds=full_seconds)


def drop_slot(name: str, settings: TargetSettings) -> None:
    """Drop the slot of a target that is no longer watched by its changes, on a thread of its own."""

    def drop() -> None:
        with closing(_slot(name, settings)) as slot:
            try:
                if slot.drop_if_there():
                    log.info("slot dropped, it is no longer asked for", target=name, slot=slot.name)
            except TargetError as error:
                log.warning("slot could not be dropped", target=name, error=str(error))

    threading.Thread(target=drop, name=f"slot of {name}", daemon=True).start()


def _slot(name: str, settings: TargetSettings) -> Slot:
    timeout = settings.budget.statement_timeout.total_seconds()
    return Slot(name, settings.dsn.get_secret_value(), statement_timeout=timeout)
