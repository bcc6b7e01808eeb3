"""In which order tables are filled: parents first; where they refer to one another, what may wait, waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evaluation.fill.shape import Shape
from pgvigil.catalog import ForeignKey


def parents_first(shapes: Sequence[Shape]) -> Iterator[tuple[Shape, tuple[ForeignKey, ...]]]:
    """Yield each table with those of its keys that cannot be set yet, because their parents come later.

    A key to the table itself waits as well, if it may be NULL.
    """
    waiting = {shape.table.oid: shape for shape in shapes}
    while waiting:
        shape = min(waiting.values(), key=lambda one: _obstacles(one, waiting))
        del waiting[shape.table.oid]
        yield (
            shape,
            tuple(
                key
                for key in shape.foreign_keys
                if key.parent.oid in waiting or (key.parent.oid == shape.table.oid and shape.optional(key))
            ),
        )


def _obstacles(shape: Shape, waiting: dict[int, Shape]) -> tuple[int, int, str]:
    """Count the keys to tables that are not filled yet: those that must be set, then all."""
    later = [
        key for key in shape.foreign_keys if key.parent.oid in waiting and key.parent.oid != shape.table.oid
    ]
    return sum(not shape.optional(key) for key in later), len(later), str(shape.table)
