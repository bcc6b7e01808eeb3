"""What a run's answers rest on, so that a later run can tell which of them still hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Self

from pgvigil.position import Position


@dataclass(frozen=True, slots=True)
class Footing:
    """Where a target was before a run read of it.

    While the token is the same, tables that are in the WAL hold the same. `server` is since when the server
    runs of which this is known.
    """

    token: str
    server: str

    @classmethod
    def at(cls, position: Position, target: str, now: datetime, full_every: float) -> Self:
        """Return the footing of a target at a position.

        After `full_every` seconds at the latest it is another one, so that nothing is believed for longer.
        """
        # Targets with the same setting need not all be read anew at the same moment.
        late = int.from_bytes(sha256(target.encode()).digest()[:4]) % max(1, int(full_every))
        period = int((now.timestamp() + late) // full_every)
        text = f"{target}\0{period}\0{position.text}"
        return cls(sha256(text.encode(errors="surrogatepass")).hexdigest(), position.started)

    def under(self, servers: Collection[str]) -> str:
        """Return the token for what was read from these servers; empty where another one answered."""
        return self.token if set(servers) <= {self.server} else ""
