"""A connection that is lent from a target's pool."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

from sqlalchemy.pool import PoolProxiedConnection

from pgvigil.target.connecting import Connection


class Lease:
    """A connection lent from the pool and its place in the budget; both are returned exactly once."""

    def __init__(self, lent: PoolProxiedConnection, release: Callable[[], None]) -> None:
        self.connection = cast("Connection", lent.dbapi_connection)
        self._lent = lent
        self._release = release
        self._guard = threading.Lock()
        self._claimed = False
        self.used_before = bool(lent.info.get("used"))
        lent.info["used"] = True

    def claim(self) -> bool:
        """Tell whether the caller is the first to want to return it, and thus the one who must."""
        with self._guard:
            first, self._claimed = not self._claimed, True
            return first

    def give_back(self, *, keep: bool) -> None:
        """Return the connection to the pool; one that broke or may be dirty is thrown away."""
        if not keep:
            self._lent.invalidate()
        self._lent.close()
        self._release()

    def detach(self) -> None:
        """Make room in pool and budget while a thread that hangs still has the connection."""
        self._lent.detach()
        self._release()
