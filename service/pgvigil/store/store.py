"""The one class through which the state is written and read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Self, TypeVar

from sqlalchemy import Connection

from pgvigil import incident as life
from pgvigil.check import State
from pgvigil.errors import StoreError, SupersededError
from pgvigil.incident import Incident, Mark, Transition
from pgvigil.run import Run
from pgvigil.store import discovering, noting, reading, recording, retention
from pgvigil.store.acceptances import Acceptances
from pgvigil.store.database import Database
from pgvigil.store.discovering import Synced, Why
from pgvigil.store.leadership import Leadership
from pgvigil.store.migrate import migrate
from pgvigil.store.outbox import Outbox
from pgvigil.store.proposals import Proposals
from pgvigil.store.reader import Reader
from pgvigil.store.recording import Recorded
from pgvigil.store.retention import Pruned, Retention
from pgvigil.store.status import CheckStatus, Deployment, TargetStatus
from pgvigil.store.still import Still, always
from pgvigil.store.view import CheckKey, Delta, Picture, SubjectKey, View

T = TypeVar("T")

# What a commit that is under way when the store is closed may still take.
_CLOSE_SECONDS = 1.0


class Store(Reader):
    """The state store: SQLite or PostgreSQL behind it, safe to use from many threads.

    What a writing method has returned survives `kill -9` and a power cut. Every method that touches the
    database raises StoreError, one line, when it cannot; nothing is half done then, and the next call tries
    anew. `view` never touches it.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._picture = Picture()
        self._leadership = Leadership(database)
        self._in_doubt = False
        self._last_words = (0, 0)
        self.outbox = Outbox(database, self._commit)
        # A person's word counts whichever replica hears it.
        self.acceptances = Acceptances(database, partial(self._commit, fenced=False))
        self.proposals = Proposals(database, partial(self._commit, fenced=False))
        # One writer at a time: SQLite has no more, and the view must follow the commits in their order.
        self._writer = Lock()

    @classmethod
    def open(cls, url: str, *, wait_seconds: float = 10.0, to_lead: bool = False) -> Self:
        """Open the store at `url`, create or migrate its tables, and load the view.

        `wait_seconds` is how long a locked database is waited for. `sqlite://` is a store in memory. Whoever
        wants `to_lead` is refused at once where another process leads on a SQLite store.
        """
        database = Database.of(url, wait_seconds)
        store = cls(database)
        try:
            if to_lead:
                store._leadership.reserve()
            migrate(database)
            store.reload()
        except BaseException:
            store._leadership.release()
            database.close()
            raise
        return store

    def close(self) -> None:
        """Close every connection and give up the lead; the store is not used after this.

        Whoever waits to write is turned away. What is being written gets a moment to end, and is left behind
        when the database does not answer.
        """
        self._database.begin_closing()
        ended = self._writer.acquire(timeout=_CLOSE_SECONDS)
        if not ended:
            self._database.cut()
        self._leadership.release()
        self._database.close()
        if ended:
            self._writer.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def lead(self, *, wait: bool = False) -> bool:
        """Become the one daemon that records on this store; False when another leads and `wait` is not set.

        A claim, whatever comes of it, makes `record`, `record_target`, `sync_subjects`, `retire` and `prune`
        raise NotLeaderError whenever this process does not lead. Raises StoreError at once when the store is
        SQLite and another process leads.
        """
        if not self._leadership.acquire(None if wait else 0.0):
            return False
        self.reload()
        return True

    @property
    def leading(self) -> bool:
        """Whether this process leads; asks the server of a PostgreSQL store.

        Raises StoreError when the file of a SQLite store was removed or replaced.
        """
        self._database.raise_if_lost()
        return self._leadership.held

    def record(self, run: Run, still: Still = always) -> Recorded:
        """Commit one run with its findings, and what follows for its subject and its incidents.

        Here and below: raises SupersededError, and nothing is written, when `still` says no; it is asked when
        nobody else can write any more.
        """
        return self.record_many([run], still)[0]

    def record_many(self, runs: Sequence[Run], still: Still = always) -> list[Recorded]:
        """Commit runs in one transaction: all of them as if one after the other, or none.

        Raises UnfitError when it is one of the runs, or its subject's row, that does not fit.
        """
        return self._commit(lambda connection: recording.record(connection, runs), still=still)

    def record_target(
        self,
        target: str,
        *,
        up: bool,
        at: datetime,
        error: str | None = None,
        server_version: str | None = None,
        still: Still = always,
    ) -> None:
        """Commit whether a target answered; its server version is kept while it is down."""
        seen = TargetStatus(target, up, at, at if up else None, server_version, error)
        self._commit(lambda connection: (None, recording.record_target(connection, seen)), still=still)

    def sync_subjects(
        self,
        target: str,
        check: str,
        subjects: Iterable[str] | Mapping[str, str],
        now: datetime,
        interval_seconds: float,
        *,
        why: Why = lambda _: "",
        still: Still = always,
    ) -> Synced:
        """Make `subjects`, or the keys of that with their written lineages, the known ones of a check.

        New ones are `unknown`. What was renamed keeps all that it has. Those that are gone are removed with
        their runs; their incidents are closed as vanished, say why, and stay in the history.
        """
        status = CheckStatus(target, check, interval_seconds, now)
        found = dict(subjects) if isinstance(subjects, Mapping) else dict.fromkeys(subjects, "")
        return self._commit(
            lambda connection: discovering.sync(connection, status, found, now, why), still=still
        )

    def record_sweep(self, target: str, check: str, began_at: datetime, *, still: Still = always) -> None:
        """Commit that a sweep, which began at that moment, came to its end."""
        self._commit(
            lambda connection: (None, discovering.swept(connection, target, check, began_at)), still=still
        )

    def confirm(
        self, target: str, check: str, subjects: Collection[str], at: datetime, *, still: Still = always
    ) -> None:
        """Commit that what the last runs of these subjects said still held at that moment.

        They are as fresh as if they had been examined, and their live incidents are seen; no run is recorded.
        """
        self._commit(
            lambda connection: (None, noting.confirm(connection, (target, check), subjects, at)), still=still
        )

    def save_progress(
        self, key: SubjectKey, state: State, done: float, at: datetime, *, still: Still = always
    ) -> None:
        """Commit how far a run of (target, check, subject) has come, so that the next one can go on.

        `state` is the check's own, `done` the share of the work that is behind. The next completed run of the
        subject clears both.
        """
        self._commit(lambda connection: (None, noting.save(connection, key, state, done, at)), still=still)

    def reach(self, target: str, address: str) -> bool:
        """Commit at which address a target is examined, or what stands for it; tells whether that is news.

        At a new one nothing counts as passed before it is examined there.
        """
        return self._commit(lambda connection: discovering.reach(connection, target, address))

    def retire(self, configured: Collection[CheckKey], now: datetime) -> None:
        """Forget the targets and checks that are no longer among the configured (target, check)."""
        self._commit(lambda connection: (None, discovering.retire(connection, configured, now)))

    def acknowledge(
        self, incident_id: str, *, who: str, at: datetime, until: datetime | None = None, note: str = ""
    ) -> Incident:
        """Note that somebody takes care of an incident; raises UsageError when it is unknown or resolved."""
        mark = Mark(who, at, until, note)
        return self._mark(incident_id, lambda incident: life.acknowledge(incident, mark))

    def mute(
        self, incident_id: str, *, who: str, at: datetime, until: datetime | None = None, reason: str = ""
    ) -> Incident:
        """Keep an incident from notifying; raises UsageError when it is unknown or resolved."""
        mark = Mark(who, at, until, reason)
        return self._mark(incident_id, lambda incident: life.mute(incident, mark))

    def unmute(self, incident_id: str, *, who: str, at: datetime) -> Incident:
        """Lift a mute; raises UsageError when the incident is unknown or resolved."""
        return self._mark(incident_id, lambda incident: life.unmute(incident, Mark(who, at)))

    def record_deployments(self, marked: Iterable[Deployment]) -> None:
        """Commit that versions were deployed; a deployment that is told twice is recorded once."""
        # Whoever deployed told one replica, whichever leads.
        self._commit(lambda here: (None, recording.record_deployments(here, marked)), fenced=False)

    def prune(self, now: datetime, keep: Retention) -> Pruned:
        """Delete what the retention does not keep; results are recorded in between."""
        return retention.prune(self._database, self._writing, keep, now)

    def view(self) -> View:
        """Return the committed state from memory; waits for nothing."""
        return self._picture.view()

    def listen(self, listener: Callable[[], None]) -> None:
        """Let `listener` be called after every change of the view; it must not wait."""
        self._picture.listener = listener

    def reload(self) -> None:
        """Load the view anew, when another process writes the same store."""
        with self._writer, self._database.reading() as connection:
            self._picture.load(reading.everything(connection))

    def catch_up(self) -> list[Deployment]:
        """Follow what people told another replica: an acknowledgement, a mute, a deployment.

        Returns the deployments that this one had not heard of.
        """
        if self._database.is_sqlite:
            return []
        with self._database.reading() as connection:
            words = reading.last_words(connection)
        if words == self._last_words:
            return []
        before = {one for each in self.view().deployments.values() for one in each}
        self.reload()
        self._last_words = words
        return [one for each in self.view().deployments.values() for one in each if one not in before]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Open a transaction of the leader's."""
        with self._writer, self._database.writing() as connection:
            self._leadership.fence(connection)
            yield connection

    def _commit(
        self, work: Callable[[Connection], tuple[T, Delta]], *, fenced: bool = True, still: Still = always
    ) -> T:
        with self._writer:
            if not still():
                raise SupersededError("another configuration is in force by now")
            try:
                with self._database.writing() as connection:
                    if fenced:
                        self._leadership.fence(connection)
                    if self._in_doubt:
                        # A commit whose answer was lost may have gone through.
                        self._picture.load(reading.everything(connection))
                        self._in_doubt = False
                    result, delta = work(connection)
            except StoreError:
                self._in_doubt = True
                raise
            # After the commit, so that nobody is ever shown what may yet be lost.
            self._picture.apply(delta)
        return result

    def _mark(self, incident_id: str, apply: Callable[[Incident], Transition]) -> Incident:
        # A person's word counts whichever replica hears it.
        return self._commit(lambda connection: recording.mark(connection, incident_id, apply), fenced=False)
