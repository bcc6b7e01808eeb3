"""The changes of one target: keeps its slot within bounds, and remembers what it told."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress

from pgvigil.changes.history import History, read_commits
from pgvigil.changes.look import Look
from pgvigil.changes.note import Asking, Note
from pgvigil.changes.patience import Patience
from pgvigil.changes.slot import MOST_BYTES, MOST_LINES, Slot
from pgvigil.changes.state import SlotState
from pgvigil.errors import CancelledError, QueryFailedError, TargetError
from pgvigil.logs import get_logger

# An asynchronous commit is seen at once and on disk within three rounds of the WAL writer, of 200 ms each.
_FLUSH_SECONDS = 2.0
# How long a run's snapshot is held for what is still to be read.
_PATIENCE_SECONDS = 1.0
# What a restart of pgvigil may have to read again, and no more than that.
_KEPT_BYTES = 64 << 20
_STEP_BYTES = 1 << 16
# At about 120 MB/s this takes some seconds, in which most relations are looked at as a whole.
_MOST_BACKLOG = 512 << 20

log = get_logger(__name__)


class Changes:
    """Knows what was committed on a target lately. Safe for several threads; trouble makes it know nothing.

    `retention` is how many bytes of WAL the slot may keep; then it is dropped and begun anew. `full_seconds`
    is the age at which a verdict on changes alone no longer does.
    """

    def __init__(self, slot: Slot, *, retention: int, full_seconds: float) -> None:
        self._slot = slot
        self.retention = retention
        """How many bytes of WAL the slot may keep."""
        self.retained: int | None = None
        """How many it kept when it was last looked after; None while there is none."""
        self._full_seconds = full_seconds
        # Whoever uses the slot or the history has it, for seconds while much is decoded.
        self._guard = threading.RLock()
        self._notes_guard = threading.Lock()
        self._patience = Patience()
        self._history: History | None = None
        self._server = ""
        self._notes: dict[Hashable, int] = {}
        self.obstacle = ""
        """Why nothing is known, in one line; empty when changes are known."""
        self.dropped = 0
        """How often the slot was dropped because it kept too much, or was lost."""
        self.reminded = False
        """Whether it was told what earlier runs have noted."""

    @property
    def known(self) -> bool:
        """Whether it is worth asking at the moment."""
        return self._history is not None

    def begin_tick(self) -> None:
        """Look after the slot: make it if there is none, drop it if it keeps too much; then read what it has.

        To be called while no run has a snapshot yet: that may take as long as a statement may.
        """
        with self._guard:
            try:
                state = self._slot.state()
                self._tend(state)
                if self._history is not None and self._history.end < state.written:
                    self._read(0)
                self._patience.caught_up()
            except TargetError as error:
                self._lose(str(error))

    def keep_within(self, every: float) -> None:
        """Drop the slot as soon as it keeps too much, though nothing ticks; returns when stopped.

        Looks every so many seconds.
        """
        with suppress(CancelledError):
            while True:
                self._slot.wait(every)
                self.bound_slot()

    def bound_slot(self) -> None:
        """Drop the slot if it keeps too much. Who reads it now, or makes it, finds out by itself."""
        if not self._guard.acquire(blocking=False):
            return
        try:
            state = self._slot.state()
            self.retained = state.retained if state.ours else None
            if state.ours and state.retained > self.retention:
                self._drop(state)
        except CancelledError:
            raise
        except TargetError as error:
            self._lose(str(error))
        finally:
            self._slot.close_idle()
            self._guard.release()

    def asking(self, before: Note | None, of: str, now: float, *, full: bool = False) -> Asking:
        """Return whom a run asks; the arguments are those of `Asking`."""
        old = before is None or not 0 <= now - before.full_at < self._full_seconds
        return Asking(self, before, of=of, now=now, full=full or old)

    def committed(self, key: Hashable, note: Note | None) -> None:
        """Hear that the run of a subject was committed together with its note."""
        with self._notes_guard:
            if note is None:
                self._notes.pop(key, None)
            else:
                self._notes[key] = note.lsn

    def done(self) -> None:
        """Let go of what no run will ask for again; to be called when a tick's runs are committed."""
        with self._guard:
            history = self._history
            if history is None:
                return
            with self._notes_guard:
                needed = min([history.end, *self._notes.values()])
            history.forget(needed)
            try:
                self._advance(max(needed, history.end - _KEPT_BYTES))
            except TargetError as error:
                self._lose(str(error))
            finally:
                self._slot.close_idle()

    def drop(self) -> None:
        """Drop the slot if there is one; raises TargetError when that is not possible."""
        with self._guard:
            self._history = None
            self._slot.drop_if_there()

    def stop(self) -> None:
        """Cancel what runs, within two seconds; from then on nothing is known."""
        self._slot.stop()

    def close(self) -> None:
        """Stop, and close the connection; the slot stays."""
        self._slot.close()

    @contextmanager
    def covering(self, seen: Look) -> Iterator[History | None]:
        """Give the block a history that holds all that a snapshot sees; None when there is none.

        What takes longer to read than a snapshot may wait is read on, for those that come later.
        """
        until = time.monotonic() + _PATIENCE_SECONDS
        read = self._patience.done(lambda: self._cover(seen), _PATIENCE_SECONDS)
        if not read or not self._guard.acquire(timeout=max(0.0, until - time.monotonic())):
            yield None
            return
        try:
            yield self._history if self._covers(seen) else None
        finally:
            self._guard.release()

    def _cover(self, seen: Look) -> None:
        with self._guard:
            try:
                if seen.written is not None and self._is_of(seen) and not self._covers(seen):
                    self._read(seen.written)
                if self._history is not None and self._covers(seen):
                    self._history.covered = seen.visible
            except TargetError as error:
                self._lose(str(error))

    def _is_of(self, seen: Look) -> bool:
        return self._history is not None and seen.server == self._server

    def _covers(self, seen: Look) -> bool:
        history = self._history
        if history is None or seen.written is None or not self._is_of(seen):
            return False
        # An equal snapshot sees no more than it did, whatever was written since.
        return history.end >= seen.written or history.covered == seen.visible

    def _read(self, written: int) -> None:
        """Read up to a position, and as far as all is on disk; what can't be read is skipped."""
        try:
            peeked = self._slot.peek(written, _FLUSH_SECONDS)
            if peeked is None:
                return
            history = self._of(peeked.state)
            if history is None:
                return
            if peeked.excess:
                self._skip_ahead(peeked.excess)
                return
            commits = list(read_commits(peeked.rows, peeked.state.xid, history.end))
        except QueryFailedError as error:
            # It would fail again, and the slot keep ever more.
            self._skip_ahead(str(error))
            return
        history.extend(commits, max(peeked.upto, written))
        history.shrink(MOST_LINES, MOST_BYTES)

    def _of(self, state: SlotState) -> History | None:
        """Return the history if the slot goes on where it ends; else begin it anew, and return None."""
        history = self._history
        there = state.exists and not state.lost and state.server == self._server
        if history is not None and there and state.confirmed <= history.end:
            return history
        self._begin(state)
        return None

    def _begin(self, state: SlotState) -> None:
        """Know nothing but where to go on from."""
        self._history = None
        if state.exists and not state.lost and not state.obstacle:
            self._server = state.server
            # Asked for afterwards, so that it is above all who committed up to there.
            floor = self._slot.floor()
            self._history = History(state.confirmed, state.confirmed, floor)

    def _tend(self, state: SlotState) -> None:
        self.retained = state.retained if state.ours else None
        if state.obstacle:
            self._lose(state.obstacle)
            # Whatever is in the way of using it, it must not go on to fill the disk.
            if state.ours and state.retained > self.retention:
                self._drop(state)
            return
        if state.exists and (state.lost or state.retained > self.retention):
            self._drop(state)
            state = self._slot.state()
        if not state.exists:
            self._history = None
            self._slot.create()
            state = self._slot.state()
            self.retained = state.retained
            log.info("slot created", target=self._slot.target, slot=state.name)
        self._of(state)
        if state.retained > _MOST_BACKLOG:
            self._skip_ahead(f"the slot kept more than {_MOST_BACKLOG >> 20} MB of WAL")
        self._tell("")

    def _drop(self, state: SlotState) -> None:
        self._history = None
        self._slot.drop()
        self.dropped += 1
        why = "the server removed the WAL that it kept" if state.lost else "it kept too much WAL"
        log.warning(
            "slot dropped, everything is looked at again",
            target=self._slot.target,
            slot=state.name,
            reason=why,
            bytes=state.retained,
        )

    def _skip_ahead(self, reason: str) -> None:
        """Give up on what can't be read, or takes longer to read than to look at everything."""
        self._history = None
        state = self._slot.state()
        retained = state.retained
        flushed = self._slot.flushed(state.written, _FLUSH_SECONDS)
        if flushed is not None:
            self._slot.advance(flushed)
        state = self._slot.state()
        if state.retained <= _MOST_BACKLOG:
            self._begin(state)
        log.info(
            "slot skipped ahead, everything is looked at again",
            target=self._slot.target,
            reason=reason,
            bytes=retained,
        )

    def _advance(self, upto: int) -> None:
        state = self._slot.state()
        if self._of(state) is not None and upto - state.confirmed >= _STEP_BYTES:
            self._slot.advance(upto)

    def _lose(self, obstacle: str) -> None:
        self._history = None
        self._tell(obstacle)

    def _tell(self, obstacle: str) -> None:
        if obstacle and obstacle != self.obstacle and not self._slot.stopping:
            log.warning(
                "changes are not known, everything is looked at",
                target=self._slot.target,
                reason=obstacle,
            )
        self.obstacle = obstacle
