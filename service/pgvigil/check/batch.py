"""The door to the target for several subjects that are looked at together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from pgvigil.check.context import Context
from pgvigil.check.model import Subject, Verdict


class Batch(Context, Protocol):
    """A context of several subjects: one session, one budget, and one read-only snapshot at a time.

    What is here is the batch's own. `resumed` is what was given to `checkpoint` by a batch of the very same
    subjects that was broken off; it is kept for as long as none of their tables is another one. `memory` is
    empty, nothing is `accepted` and `touched` knows nothing: these belong to one subject each, see `of`.
    """

    def of(self, subject: Subject) -> Context:
        """Return the context of one subject of the batch, which shares the batch's session and snapshot.

        It has the subject's `memory` and what is `accepted` of it, and `touched` answers for it. It takes no
        checkpoints: `chunk_seconds` is None, and `resumed` is empty.
        """
        ...

    def side_by_side(
        self, look: Callable[[Context, Subject], Verdict | None], subjects: Iterable[Subject]
    ) -> dict[str, Verdict]:
        """Look at each subject in its own context, all in one snapshot, and return the verdicts by subject.

        `look` is written as if its subject were the only one. What all of them fetch next is sent together,
        in one round trip. None, or an exception of its own, leaves that subject to a run by itself.
        """
        ...
