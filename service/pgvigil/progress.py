"""What the runs of one sweep get from earlier ones, and where they note how far they have come."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from hashlib import sha256

from pgvigil.check import State, Subject
from pgvigil.clock import Clock
from pgvigil.context import ALONE, Assistance
from pgvigil.errors import StoreError, SupersededError
from pgvigil.store import Note, Store

_SAVE_SECONDS = 5.0
_TOO_OLD = timedelta(days=1)
_LARGEST_STATE = 1 << 16
_NOTHING = Note()


class Progress:
    """Assists the runs of one check of one target.

    `define` returns what stands for a subject's definition: a run that was broken off goes on only while that
    is the same. It is empty where nobody knows; then nothing goes on.
    """

    def __init__(
        self,
        store: Store,
        key: tuple[str, str],
        clock: Clock,
        *,
        define: Callable[[Subject], str],
        still: Callable[[], bool],
    ) -> None:
        self.notes: Mapping[str, Note] = store.notes(*key)
        self.resumed: set[str] = set()
        """The subjects whose runs went on from earlier ones: part of what they saw is of an earlier time."""
        self.store = store
        self.key = key
        self.clock = clock
        self.define = define
        self._still = still
        # Most checks accept nothing, and never ask.
        self._accepted = cache(lambda: store.acceptances.accepted(*key))
        self._deployed_seconds = _seconds_since_deployment(store, key[0], clock)

    def __call__(self, subjects: Sequence[Subject]) -> Assistance:
        """Return what a run is given: that of one subject, or that of a batch.

        How far a batch has come is kept with its first subject, under a definition made of all of them: it is
        for the same batch alone. Of another run that subject may have left it is no longer known then.
        """
        first = self.notes.get(subjects[0].name, _NOTHING)
        resumed = self._resumed(first, subjects)
        if resumed:
            self.resumed.update(subject.name for subject in subjects)
        known = self.remembering(subjects[0]) if len(subjects) == 1 else ALONE
        return replace(known, resumed=resumed, save=self._saving(subjects), each=self.remembering)

    def remembering(self, subject: Subject) -> Assistance:
        """Return what the run of one subject is given."""
        return Assistance(
            memory=self.notes.get(subject.name, _NOTHING).memory,
            accepted=lambda: self._accepted().get(subject.name),
            accepted_subjects=lambda: self._accepted().keys(),
            deployed_seconds=self._deployed_seconds,
        )

    def _defined(self, subjects: Sequence[Subject]) -> str:
        definitions = [self.define(subject) for subject in subjects]
        if len(definitions) == 1 or not all(definitions):
            return definitions[0] if len(definitions) == 1 else ""
        return sha256("\0".join(definitions).encode()).hexdigest()

    def _resumed(self, note: Note, subjects: Sequence[Subject]) -> State:
        if note.resumed is None or note.saved_at is None:
            return {}
        age = self.clock.now() - note.saved_at
        definition = self._defined(subjects)
        if not definition or not timedelta(0) <= age < _TOO_OLD or note.resumed.get("of") != definition:
            return {}
        state = note.resumed.get("state")
        return state if isinstance(state, Mapping) else {}

    def _saving(self, subjects: Sequence[Subject]) -> Callable[[State, float], None]:
        """Return what writes a checkpoint down, now and then."""
        key, written = (*self.key, subjects[0].name), self.clock.monotonic()

        def save(state: State, done: float) -> None:
            nonlocal written
            if self.clock.monotonic() - written < _SAVE_SECONDS:
                return
            written = self.clock.monotonic()
            definition = self._defined(subjects)
            kept: State = {"of": definition, "state": state} if definition else {}
            if len(json.dumps(kept, default=str)) > _LARGEST_STATE:
                kept = {}
            # What cannot be kept is only done twice; that the store fails is told by who records.
            with suppress(StoreError, SupersededError):
                self.store.save_progress(key, kept, done, self.clock.now(), still=self._still)

        return save


def _seconds_since_deployment(store: Store, target: str, clock: Clock) -> float | None:
    last = next(iter(store.view().deployments.get(target, ())), None)
    return None if last is None else max(0.0, (clock.now() - last.at).total_seconds())
