"""The sweep: one tick's walk over the subjects of one check, several at a time, within the budget."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import Any

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Subject
from pgvigil.governor import Governor
from pgvigil.run import Run
from pgvigil.runner import Runner


def sweep(
    runner: Runner, governor: Governor, check: Check[Any], subjects: Iterable[Subject], catalog: Catalog
) -> Iterator[Run]:
    """Run the check on every subject, and yield the runs as they complete.

    As many workers as the target's budget has connections. Ends early, without runs for the rest, when the
    governor is stopped: what was not examined must not look as if it were. When the iterator is closed before
    its end, no further run begins.
    """
    waiting = deque(subjects)
    done: SimpleQueue[Run | None] = SimpleQueue()

    def work() -> None:
        try:
            while not governor.stopping:
                try:
                    subject = waiting.popleft()
                except IndexError:
                    return
                run = runner.run(check, subject, catalog)
                if run is not None:
                    done.put(run)
                    governor.rest(run.duration_seconds)
        finally:
            done.put(None)

    working = 0
    try:
        for _ in range(min(runner.target.limits.connections, len(waiting))):
            threading.Thread(target=work, name=f"sweep {check.name}", daemon=True).start()
            working += 1
        while working:
            run = done.get()
            if run is None:
                working -= 1
            else:
                yield run
    finally:
        waiting.clear()
