"""A hot standby that is read in the place of its primary, once it has replayed all that the primary had.

Each snapshot proves for itself what it sees, as two sessions of one DSN may be of two servers: behind a
pooler, or after a failover. It sees all up to a mark when its server, asked before the snapshot was taken,
had replayed as much, and is found to be the same one, still in recovery and on the primary's timeline, by
the snapshot itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import LiteralString

from pgvigil.check import Row
from pgvigil.errors import (
    CancelledError,
    QueryFailedError,
    RecoveryConflictError,
    StandbyError,
    TargetError,
    TargetUnreachableError,
)
from pgvigil.logs import get_logger
from pgvigil.target.connecting import Limits
from pgvigil.target.session import Snapshot
from pgvigil.target.target import Target

_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 1.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of a primary: the end of its last WAL record in bytes, on a timeline of a cluster.

    `cluster` is empty where the role may not see it. `database` is the oid of the database that is watched.
    """

    cluster: str
    timeline: int
    database: int
    lsn: int


class Standby(Target):
    """A hot standby of a target, with a pool of its own within the same bounds.

    `max_lag` is how many seconds it may take to reach a mark. With `fallback` the primary is read where the
    standby cannot be; else what it cannot say is unknown.
    """

    kind = "standby of"

    def __init__(
        self, name: str, dsn: str, limits: Limits | None = None, *, max_lag: float, fallback: bool
    ) -> None:
        super().__init__(name, dsn, limits)
        self.max_lag = max_lag
        self.fallback = fallback
        self.lag_seconds: float | None = None
        """How long it took to reach the last mark, or was waited for in vain; None before the first."""
        self.usable: bool | None = None
        """Whether it could be read when that was last tried."""
        self.obstacle = ""
        """Why it could not be read when that was last tried; empty when it could."""
        self._finding = threading.Lock()

    def reach(self, mark: Mark) -> Reading:
        """Wait until the standby has reached a mark; raises StandbyError when it does not, or cannot."""
        reading, began = Reading(self, mark), time.monotonic()
        try:
            self._await(reading, began)
        except CancelledError:
            raise
        except TargetError as error:
            self.found(str(error))
            raise
        finally:
            self.lag_seconds = time.monotonic() - began
        self.found("")
        return reading

    def look(self, mark: Mark) -> bool:
        """Tell, without waiting, whether the standby has reached a mark; raises TargetError."""
        arrived = Reading(self, mark).arrived()
        if arrived:
            self.found("")
        return arrived

    def found(self, obstacle: str) -> None:
        """Note why it cannot be read, empty when it can; it is logged when that has changed."""
        with self._finding:
            before, self.usable = self.usable, not obstacle
            self.obstacle = obstacle
        if obstacle and before is not False:
            instead = "the primary is read" if self.fallback else "nothing is read"
            log.warning("standby is not read", target=self.name, reason=obstacle, instead=instead)
        elif not obstacle and before is False:
            log.info("standby is read again", target=self.name)

    def _await(self, reading: Reading, began: float) -> None:
        pause = _POLL_SECONDS
        while not reading.arrived():
            waited = time.monotonic() - began
            if waited >= self.max_lag:
                raise StandbyError(
                    f"{self.label}: it is behind: what the primary had written was not replayed within "
                    f"{self.max_lag:g} s"
                )
            self.wait_stopping(min(pause, self.max_lag - waited))
            pause = min(2 * pause, _LONGEST_POLL_SECONDS)


class Reading(Target):
    """A standby as it is read after a mark: every snapshot sees all that the primary had committed by then.

    Its sessions are the standby's own, within the same budget. Once one cannot be had, none is asked for
    again. Safe for several threads.
    """

    kind = Standby.kind

    def __init__(self, standby: Standby, mark: Mark) -> None:
        # The same pool, the same places in the budget, stopped together.
        vars(self).update(vars(standby))
        self._standby = standby
        self._mark = mark
        self._guard = threading.Lock()
        self._proven: set[str] = set()
        self.gone = ""
        """Why it can be read no more; empty while it can."""

    def arrived(self) -> bool:
        """Ask whether the mark is reached; raises TargetError, a StandbyError when waiting is no use."""
        with ExitStack() as stack:
            snapshot = self._opened(stack, "standby", wait=True)
            state = self._state(snapshot)
        if self._note(state):
            return True
        if state["paused"]:
            raise self._unfit("its replay is paused (pg_wal_replay_resume() lets it go on)")
        if state["delay"] > self._standby.max_lag:
            raise self._unfit("recovery_min_apply_delay is longer than standby.max_lag")
        return False

    @contextmanager
    def snapshot(self, purpose: str = "", *, wait: bool = True) -> Iterator[Snapshot]:
        """Open a safe session whose snapshot sees all up to the mark; raises TargetError.

        A StandbyError says that there is no such session.
        """
        # One that meets a server for the first time is its proof for the next.
        for _ in range(2):
            with ExitStack() as stack:
                snapshot = self._opened(stack, purpose, wait=wait)
                state = self._state(snapshot)
                if self._is_proven(state):
                    yield snapshot
                    return
                if not self._note(state):
                    break
        raise self._unfit("another server has answered than before, and it is behind")

    @contextmanager
    def beside(self, shared: str, purpose: str = "") -> Iterator[Snapshot | None]:
        """Open another session on a snapshot that is shared; None when there is none of the same server."""
        with super().beside(shared, purpose) as snapshot:
            alone = snapshot is not None and len(self._proven) == 1 and self._is_proven(self._state(snapshot))
            yield snapshot if alone else None

    def _opened(self, stack: ExitStack, purpose: str, *, wait: bool) -> Snapshot:
        if self.gone:
            raise StandbyError(self.gone)
        try:
            return stack.enter_context(super().snapshot(purpose, wait=wait))
        except TargetUnreachableError as error:
            raise self._give_up(str(error)) from error

    def _state(self, snapshot: Snapshot) -> Row:
        """Return how the server of a snapshot stands, if it may be read at all."""
        try:
            (state,) = snapshot.fetch(_sql())
        except RecoveryConflictError:
            raise
        except TargetUnreachableError as error:
            raise self._give_up(str(error)) from error
        except QueryFailedError as error:
            raise self._unfit(f"it does not tell how it stands: {error}") from error
        obstacle = _obstacle(state, self._mark)
        if obstacle:
            raise self._unfit(obstacle)
        return state

    def _is_proven(self, state: Row) -> bool:
        # A server that crashed goes on from before what it had replayed.
        return state["incarnation"] in self._proven and state["replayed"] >= self._mark.lsn

    def _note(self, state: Row) -> bool:
        """Note that a server had reached the mark, for snapshots to come; tells whether it had."""
        reached = bool(state["replayed"] >= self._mark.lsn)
        if reached:
            with self._guard:
                self._proven.add(state["incarnation"])
        return reached

    def _unfit(self, reason: str) -> StandbyError:
        return self._give_up(f"{self.label}: {reason}")

    def _give_up(self, reason: str) -> StandbyError:
        self.gone = reason
        self._standby.found(reason)
        return StandbyError(reason)


def _obstacle(state: Row, mark: Mark) -> str:
    """Say why a server is no standby of the primary that a mark is of; empty when it is."""
    if not mark.cluster:
        return "the role may not execute pg_control_system() on the primary"
    if state["cluster"] != mark.cluster:
        return "it is of another cluster than the primary (its system identifier differs)"
    if not state["in_recovery"]:
        return "it is not in recovery: it is the primary itself, or was promoted"
    if state["database"] != mark.database:
        return "its DSN leads to another database than the primary's"
    if state["timeline"] is None and not state["may_see"]:
        return "the role may not see its timeline: GRANT pg_read_all_stats to it"
    if state["timeline"] is None:
        return "it receives no WAL by streaming, so that its timeline is not known"
    if state["timeline"] != mark.timeline:
        return f"it follows timeline {state['timeline']}, the primary is on {mark.timeline}"
    return ""


@cache
def _sql() -> LiteralString:
    return resources.files("pgvigil.target").joinpath("standby.sql").read_text(encoding="utf-8")
