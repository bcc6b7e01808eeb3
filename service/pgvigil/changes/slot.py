"""The slot itself: how it stands, and the few statements that make, read, move and drop it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256

from psycopg import sql

from pgvigil.changes.obstacles import is_ours, kept_why, no_plugin, obstacles
from pgvigil.changes.state import Namesake, SlotState
from pgvigil.check import Query, Row, load_sql
from pgvigil.errors import QueryFailedError, QueryTimeoutError, TargetError
from pgvigil.target import Limits, Snapshot, Target, last_record_end

_TRYING = "pgvigil_trying"
# A slot begins when all transactions that run at that moment have ended.
_CREATE_SECONDS = 5.0
_POLL_SECONDS = 0.02
# Others' commits take less, where there are any.
_NUDGE_SECONDS = 0.05

MOST_LINES = 100_000
"""How many changed rows are held in memory at the most."""

MOST_BYTES = 64 << 20
"""How much text of changed rows is held in memory at the most."""


def slot_name(target: str, database: str) -> str:
    """Name the slot of a target."""
    return f"pgvigil_{sha256(f'{target}{chr(0)}{database}'.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Peeked:
    """The lines up to a position, and how the slot stood then; `excess` says of what there was too much."""

    upto: int
    rows: list[Row]
    state: SlotState
    excess: str = ""


class Slot:
    """The slot of one target, reached by sessions of its own, which are bounded as every other is.

    Every method raises TargetError. The sessions are read-only ones, although the functions change the slot:
    nothing else can be changed by them.
    """

    def __init__(self, target: str, dsn: str, *, statement_timeout: float) -> None:
        limits = Limits(connections=1, statement_timeout=statement_timeout, lock_timeout=_CREATE_SECONDS)
        self._target = Target(target, dsn, limits)
        self._name = ""

    @property
    def target(self) -> str:
        """The name of the target."""
        return self._target.name

    @property
    def name(self) -> str:
        """The name of the slot; empty until the server was asked for its database."""
        return self._name

    @property
    def stopping(self) -> bool:
        """Whether it was stopped."""
        return self._target.stopping

    def state(self) -> SlotState:
        """Ask how the slot stands."""
        with self._session() as session:
            return self._state(session)

    def obstacles(self) -> tuple[str, ...]:
        """Ask why there can be no slot, also by trying to make one that goes at once if there is none yet."""
        state = self.state()
        if state.obstacles or state.exists:
            return state.obstacles
        trying = sql.Literal(f"{_TRYING}_{secrets.token_hex(8)}")
        try:
            with self._session() as session:
                session.fetch(_query("try.sql", slot=trying))
                # Behind a pooler the server's session, and the slot with it, would outlive ours.
                session.fetch(_query("drop.sql", slot=trying))
        except QueryTimeoutError:
            # It only waits for somebody's transaction: all that is needed was there.
            return ()
        except QueryFailedError as error:
            return (no_plugin(error) or str(error),)
        return ()

    def namesakes(self) -> list[Namesake]:
        """Return the slots of the whole server that bear a name as pgvigil gives them, this one too."""
        with self._session() as session:
            return [Namesake(**row) for row in session.fetch(_query("pgvigils.sql"))]

    def create(self) -> None:
        """Make the slot; fails when a transaction that runs now does not end within seconds."""
        try:
            self._call("create.sql")
        except QueryFailedError as error:
            if reason := no_plugin(error):
                raise TargetError(reason) from None
            raise

    def drop(self) -> None:
        """Drop the slot."""
        self._call("drop.sql")

    def drop_if_there(self) -> bool:
        """Drop the slot, if there is one that is ours; tell whether there was."""
        state = self.state()
        if state.exists and not state.ours:
            raise TargetError(
                f"target {self.target}: slot {state.name} is somebody else's: it was left alone"
            )
        if state.exists:
            self._drop(state.name)
        return state.exists

    def drop_namesake(self, name: str) -> bool:
        """Drop a slot with a name as pgvigil gives them, of whatever database; tell whether there was one."""
        there = name in [one.name for one in self.namesakes()]
        if there:
            self._drop(name)
        return there

    def _drop(self, name: str) -> None:
        """Drop a slot that a person wants to be rid of; the error says what else is to be done."""
        try:
            with self._session() as session:
                session.fetch(_query("drop.sql", slot=sql.Literal(name)))
        except QueryFailedError as error:
            raise TargetError(f"target {self.target}: slot {name} {kept_why(name, error)}") from None

    def floor(self) -> int:
        """Return a transaction id that is above all that have begun by now."""
        with self._session() as session:
            return int(session.fetch(_query("xid.sql"))[0]["xid"])

    def advance(self, upto: int) -> None:
        """Let go of what the slot keeps up to a position."""
        self._call("advance.sql", upto=sql.Literal(upto))

    def flushed(self, written: int, seconds: float) -> int | None:
        """Wait until what was written up to a position is on disk; return up to where, None when it isn't."""
        began, nudged = time.monotonic(), False
        while True:
            with self._session() as session:
                upto = _flushed(session, written)
            waited = time.monotonic() - began
            if upto is not None or waited > seconds:
                return upto
            if waited > _NUDGE_SECONDS and not nudged:
                nudged = True
                self.floor()
            time.sleep(_POLL_SECONDS)

    def peek(self, written: int, seconds: float) -> Peeked | None:
        """Return what was committed up to a position, or further; None when it is not on disk in time."""
        with self._session() as session:
            upto = _flushed(session, written)
            if upto is not None:
                return self._peek(session, upto)
        return None if self.flushed(written, seconds) is None else self.peek(written, 0)

    def _peek(self, session: Snapshot, upto: int) -> Peeked:
        rows = session.fetch(
            _query(
                "peek.sql",
                slot=self._literal(),
                upto=sql.Literal(upto),
                most_rows=sql.Literal(MOST_LINES),
                most_bytes=sql.Literal(MOST_BYTES),
            ),
            most_rows=None,
        )
        return Peeked(upto, rows, self._state(session), _excess(rows))

    def wait(self, seconds: float) -> None:
        """Wait, and no longer than until it is stopped; raises CancelledError then."""
        self._target.wait_stopping(seconds)

    def stop(self) -> None:
        """Cancel what runs, within two seconds; nothing works afterwards."""
        self._target.stop()

    def close(self) -> None:
        """Stop, and close the connection."""
        self._target.close()

    def close_idle(self) -> None:
        """Close the connection, unless it is at work."""
        self._target.close_idle()

    def _session(self) -> AbstractContextManager[Snapshot]:
        return self._target.snapshot("changes")

    def _call(self, name: str, **parts: sql.Literal) -> None:
        with self._session() as session:
            self._named(session)
            session.fetch(_query(name, slot=self._literal(), **parts))

    def _state(self, session: Snapshot) -> SlotState:
        self._named(session)
        row = session.fetch(_query("state.sql", slot=self._literal()))[0]
        return SlotState(
            name=self._name,
            server=row["server"],
            xid=row["xid"],
            written=row["written"] or 0,
            in_recovery=row["in_recovery"],
            obstacles=tuple(obstacles(row)),
            bound=row["keep_bytes"],
            exists=row["exists"],
            ours=is_ours(row),
            lost=row["wal_status"] == "lost",
            restart=row["restart"] or 0,
            confirmed=row["confirmed"] or 0,
            active_pid=row["active_pid"],
        )

    def _named(self, session: Snapshot) -> None:
        if not self._name:
            row = session.fetch("SELECT current_database()::text AS database")[0]
            self._name = slot_name(self.target, row["database"])

    def _literal(self) -> sql.Literal:
        return sql.Literal(self._name)


def _query(name: str, **parts: sql.Literal) -> Query:
    return load_sql("pgvigil.changes", name).format(**parts)


def _excess(rows: Sequence[Row]) -> str:
    """Say in what there is more than memory may hold; empty when there is not."""
    if any(row["data"] is None for row in rows):
        return f"more than {MOST_BYTES >> 20} MB of changed rows were to be read"
    return f"more than {MOST_LINES:,} changed rows were to be read" if len(rows) >= MOST_LINES else ""


def _flushed(session: Snapshot, written: int) -> int | None:
    """Return up to where the WAL is on disk; None when a position is not reached."""
    row = session.fetch(_query("flushed.sql"))[0]
    return (
        int(row["flushed"])
        if row["flushed"] >= last_record_end(written, row["page"], row["segment"])
        else None
    )
