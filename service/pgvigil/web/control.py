"""What the web side may ask of the daemon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from pgvigil.catalog import RelationName
from pgvigil.metrics import Guest
from pgvigil.underway import Underway
from pgvigil.window import Window


class Control(Protocol):
    """The daemon, as those see it who ask over HTTP; called on many threads."""

    def exposition(self) -> bytes:
        """Return the metrics as Prometheus text."""
        ...

    def trouble(self) -> str:
        """Return why the daemon does not do its work, empty when it does or stands by."""
        ...

    def next_due(self) -> Mapping[str, datetime]:
        """Return the next tick by `target/check`, for all that this daemon examines."""
        ...

    def underway(self) -> list[Underway]:
        """Return the runs that go on at this moment, all of this daemon."""
        ...

    def guest(self, target: str) -> Guest | None:
        """Return how this daemon behaves on a target now, None where it does nothing there."""
        ...

    def windows(self) -> Mapping[str, Window]:
        """Return in which hours the targets are examined, of those that are not at any time."""
        ...

    def targets(self) -> list[str]:
        """Return the names of the configured targets."""
        ...

    def stands_by(self) -> bool:
        """Return whether another replica leads, and examines."""
        ...

    def examine(self, target: str, check: str | None) -> list[str]:
        """Let ticks begin now; return `target/check` of each, none when this replica stands by."""
        ...

    def misfits(self, target: str, relations: Iterable[RelationName]) -> Mapping[RelationName, str]:
        """Return why some relations cannot be examined: the target has no such tables; raises TargetError."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Return the configuration in force, without secrets."""
        ...

    def reload(self) -> None:
        """Take the configuration into force anew; raises PgvigilError when it is wrong."""
        ...
