"""How much to read at once, so that it takes about as long as is wanted."""

from __future__ import annotations


class Pace:
    """Sizes the next chunk of a scan by how long the last ones took.

    `seconds` is how long a chunk should take; None means that nothing bounds it, and that everything is one
    chunk. `size` is in whatever the scan counts (blocks, keys, rows).
    """

    # A chunk that was read from disk says little about the next one, which may lie in memory, and the other
    # way round: too small costs a round trip, too large is felt by others.
    _GROWTH = 4.0
    _SHRINKAGE = 0.1

    def __init__(self, seconds: float | None, first: int, *, largest: int = 1 << 62) -> None:
        self._seconds = seconds
        self._largest = largest
        self.size = largest if seconds is None else max(1, min(first, largest))
        """How much the next chunk should hold, at least 1."""

    def took(self, seconds: float, size: int | None = None) -> None:
        """Tell how long a chunk took, and how much it held if that was not `size`."""
        if self._seconds is None:
            return
        held = self.size if size is None else size
        factor = self._seconds / max(seconds, 1e-6)
        wanted = held * min(max(factor, self._SHRINKAGE), self._GROWTH)
        self.size = max(1, min(round(wanted), self._largest))
