"""What lets the runs of one sweep ask what was written since the last ones, and keeps their notes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace

from pgvigil.changes import MEMORY, Asking, Changes, Note
from pgvigil.check import Subject
from pgvigil.context import Assistance
from pgvigil.progress import Progress
from pgvigil.run import Run
from pgvigil.store import Store


class Touching:
    """Assists the runs of one check of one target, on top of what their progress is to them.

    Only while what stands for a subject's definition and settings is the same, a run may go by what was
    written. With `full` everything is looked at, and the subjects that `anew` names always are. Without
    `changes` nothing is known.
    """

    def __init__(
        self, changes: Changes | None, progress: Progress, *, full: bool, anew: Container[str] = ()
    ) -> None:
        self._changes = changes
        self._progress = progress
        self._full = full
        self._anew = anew
        self._target, self._check = progress.key
        self._asking: dict[str, Asking] = {}
        self._notes: dict[str, Note | None] = {}

    def __call__(self, subjects: Sequence[Subject]) -> Assistance:
        """Return what a run is given: that of one subject, or that of a batch."""
        assistance = self._progress(subjects)
        resumed = bool(assistance.resumed)
        if len(subjects) == 1:
            return self._touching(subjects[0], assistance, resumed=resumed)

        def each(subject: Subject) -> Assistance:
            return self._touching(subject, assistance.each(subject), resumed=resumed)

        return replace(assistance, each=each)

    def _touching(self, subject: Subject, assistance: Assistance, *, resumed: bool) -> Assistance:
        """Let a run ask what was written since the last one of its subject."""
        if self._changes is None and MEMORY not in assistance.memory:
            return assistance
        memory = {name: value for name, value in assistance.memory.items() if name != MEMORY}
        definition = self._progress.define(subject)
        if not definition or self._changes is None:
            return replace(assistance, memory=memory)
        now = self._progress.clock.now().timestamp()
        full = self._full or subject.name in self._anew
        asking = self._changes.asking(Note.read(assistance.memory), definition, now, full=full)
        if resumed:
            asking.spoil()
        self._asking[subject.name] = asking
        return replace(assistance, memory=memory, touched=asking.touched)

    def begin(self, checks: Iterable[str]) -> None:
        """Look after the slot; what the subjects of these checks may still ask for is kept for them."""
        if self._changes is None:
            return
        if not self._changes.reminded:
            for check in checks:
                for subject, note in noted(self._progress.store, self._target, check):
                    self._changes.committed((check, subject), note)
            self._changes.reminded = True
        self._changes.begin_tick()

    def noted(self, run: Run) -> Run:
        """Return a run with its note, which is committed together with it."""
        asking = self._asking.pop(run.subject, None)
        note = asking.note() if asking is not None and run.outcome.completed else None
        self._notes[run.subject] = note
        return replace(run, memory={**run.memory, **note.write()}) if note else run

    def committed(self, run: Run) -> None:
        """Hear that a run is committed, so that the slot may let go of what it had seen."""
        if run.outcome.completed and self._changes is not None:
            self._changes.committed((self._check, run.subject), self._notes.pop(run.subject, None))

    def end(self) -> None:
        """Let go of what no run will ask for again."""
        if self._changes is not None:
            self._changes.done()


def noted(store: Store, target: str, check: str) -> list[tuple[str, Note]]:
    """Return what the subjects of a check have noted of changes; raises StoreError."""
    notes = [(subject, Note.read(kept.memory)) for subject, kept in store.notes(target, check).items()]
    return [(subject, note) for subject, note in notes if note is not None]
