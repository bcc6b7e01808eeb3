"""What a finding about two databases shows: some rows of both, and the queries that show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgvigil.check import Row
from pgvigil_checks.across.both import Both
from pgvigil_checks.across.keys import Key
from pgvigil_checks.across.moving import key_of
from pgvigil_checks.across.query import Asked
from pgvigil_checks.across.tally import SIDES
from pgvigil_checks.table_drift_figures import Figures
from pgvigil_checks.table_drift_model import ColumnPair, EntityPair
from pgvigil_checks.table_drift_query import SHOWN

_MOST_COLUMNS = 10


def by_target(target: str, pair: EntityPair, queries: Mapping[str, str]) -> str:
    """Write queries with the target on which each is to be run; `target` is that of the left side."""
    targets = {"left": target, "right": pair.right_target}
    return "\n".join(f"-- On target {targets[side]}:\n{text}" for side, text in queries.items())


class Evidence:
    """Makes samples and queries of the keys that were met first."""

    def __init__(self, both: Both, pair: EntityPair, sides: Mapping[str, Asked]) -> None:
        self._both = both
        self._pair = pair
        self._sides = sides

    def drift_rows(self, met: Sequence[tuple[Key, str, int]], figures: Figures) -> list[Row]:
        """Return the sample as table_drift_rows.sql returns it; values are those of this moment."""
        columns = self._columns(figures)
        changed = [key for key, drift, _ in met if drift == "changed"]
        values = self._values(changed, columns) if changed and columns else {side: {} for side in SIDES}
        return [self._row(key, drift, copies, columns, values) for key, drift, copies in met]

    def drift(self, met: Sequence[tuple[Key, str, int]], figures: Figures) -> str:
        """Return the queries that show the sampled rows, or where there are none a checksum of all."""
        keys = [key for key, _, _ in met]
        columns = self._columns(figures)
        shown = {side: asked.evidence(keys, columns) for side, asked in self._sides.items()}
        return by_target(self._both.target, self._pair, shown)

    def _columns(self, figures: Figures) -> list[ColumnPair]:
        return [column for column in self._pair.columns if column.left.name in figures.changed_by_column]

    def _values(
        self, keys: Sequence[Key], columns: Sequence[ColumnPair]
    ) -> dict[str, dict[Key, Sequence[str | None]]]:
        found = self._both.each({side: asked.shown(keys, columns) for side, asked in self._sides.items()})
        parts = len(keys[0])
        return {side: {key_of(row, parts): row["shown"] for row in found[side]} for side in SIDES}

    def _row(
        self,
        key: Key,
        drift: str,
        copies: int,
        columns: Sequence[ColumnPair],
        values: Mapping[str, Mapping[Key, Sequence[str | None]]],
    ) -> Row:
        left, right = (values[side].get(key, [None] * len(columns)) for side in SIDES)
        differing = [
            (column.left.name, one, other)
            for column, one, other in zip(columns, left, right, strict=True)
            if drift == "changed" and one != other
        ][:_MOST_COLUMNS]
        parts = self._sides["left"].parts
        shown = {
            # In the order of the pair's own key, whatever that of the walk.
            f"k{self._pair.key.index(part.part) + 1}": int(text) if part.part.integer else text[:SHOWN]
            for part, text in zip(parts, key, strict=True)
        }
        return {
            **shown,
            "drift": drift,
            "copies": copies,
            "columns": [name for name, _, _ in differing],
            "left_values": [one for _, one, _ in differing],
            "right_values": [other for _, _, other in differing],
        }
