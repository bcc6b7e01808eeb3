"""How slots stand, as their server tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlotState:
    """How a slot stands, and whether there may be one. LSNs are numbers of bytes.

    `server` tells one start of a server from any other, `xid` is a transaction id of about that moment;
    `in_recovery` says that it is a standby.
    `obstacles` say why there can be none. `bound` is what the server lets a slot keep, None without a bound.
    """

    name: str
    server: str
    xid: int
    written: int
    in_recovery: bool
    obstacles: tuple[str, ...]
    bound: int | None
    exists: bool
    ours: bool
    lost: bool
    restart: int
    confirmed: int
    active_pid: int | None

    @property
    def obstacle(self) -> str:
        """Why there can be no slot, in one line; empty when there can."""
        return "; ".join(self.obstacles)

    @property
    def retained(self) -> int:
        """How many bytes of WAL the slot keeps."""
        return max(0, self.written - self.restart) if self.exists and not self.lost else 0


@dataclass(frozen=True, slots=True)
class Namesake:
    """A slot with a name as pgvigil gives them. `retained` is in bytes, None when its WAL is lost.

    `server` says since when the server runs, which tells it from others.
    """

    name: str
    server: str
    database: str
    active_pid: int | None
    retained: int | None
