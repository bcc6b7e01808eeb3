"""What is known of a target when a tick begins."""

from __future__ import annotations

from dataclasses import dataclass

from pgvigil.catalog import Catalog
from pgvigil.position import Position
from pgvigil.run import Run


@dataclass(frozen=True, slots=True)
class Sight:
    """What a tick begins with: the catalog, and where the target was before it was read, if that is known.

    Behind one name there may be several servers, each where it is: a position is that of one of them alone.
    """

    catalog: Catalog
    position: Position | None

    def covers(self, run: Run) -> bool:
        """Tell whether a run was read from the server whose position is known, and from no other one."""
        return self.position is not None and run.servers <= {self.position.started}
