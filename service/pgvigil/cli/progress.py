"""Progress of long work, on stderr, when somebody is there to see it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgvigil.once import Progress as Tell


@contextmanager
def progress_bar() -> Iterator[Tell | None]:
    """Yield what a sweep tells its progress to; None when stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress  # noqa: PLC0415 -- only where somebody sees it
    from rich.console import Console  # noqa: PLC0415 -- only where somebody sees it

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, progress.TaskID] = {}

        def tell(check: str, done: float, total: int) -> None:
            if check not in tasks:
                tasks[check] = bars.add_task(check, total=total)
            bars.update(tasks[check], completed=done)

        yield tell
