"""Which parents the rows of a table refer to: drawn with skew from a part of them, as people's data is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from pgvigil.catalog import ForeignKey

Values = tuple[str, ...]


class References:
    """Draws what one declared key refers to. `unique` parents are drawn once each."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        key: ForeignKey,
        random: Random,
        *,
        optional: bool,
        unique: bool,
    ) -> None:
        self.key = key
        self._random = random
        parents = _parents(connection, key)
        random.shuffle(parents)
        self._parents = parents if unique else parents[: max(1, int(len(parents) * random.uniform(0.3, 1)))]
        self._skew = random.choice([1, 2, 3])
        self._absent = random.choice([0.02, 0.1, 0.3, 0.6, 0.9]) if optional else 0.0
        self._unique = unique
        self._matching: dict[tuple[int, ...], dict[Values, list[Values]]] = {}

    def draw(self, settled: Mapping[str, str | None]) -> Mapping[str, str | None] | None:
        """Return values for the key's columns that agree with those `settled`; None if there are none.

        All NULL where the row refers to nothing.
        """
        names = self.key.child_columns
        fixed = tuple(place for place, name in enumerate(names) if settled.get(name) is not None)
        if len(fixed) < len(names) and self._random.random() < self._absent:
            return {name: None for name in names if name not in settled}
        choice = self._among(fixed, tuple(str(settled[names[place]]) for place in fixed))
        if not choice:
            return None
        if self._unique and not fixed:
            return dict(zip(names, choice.pop(), strict=True))
        return dict(zip(names, choice[int(len(choice) * self._random.random() ** self._skew)], strict=True))

    def _among(self, fixed: tuple[int, ...], values: Values) -> list[Values]:
        if not fixed:
            return self._parents
        if fixed not in self._matching:
            grouped: defaultdict[Values, list[Values]] = defaultdict(list)
            for parent in self._parents:
                grouped[tuple(parent[place] for place in fixed)].append(parent)
            self._matching[fixed] = grouped
        return self._matching[fixed].get(values, [])


def _parents(connection: psycopg.Connection[Any], key: ForeignKey) -> list[Values]:
    """Read the keys that may be referred to, as text."""
    columns = [SQL("{}::text").format(Identifier(name)) for name in key.parent_columns]
    present = [SQL("{} IS NOT NULL").format(Identifier(name)) for name in key.parent_columns]
    query = SQL("SELECT {} FROM {} WHERE {} ORDER BY {}").format(
        SQL(", ").join(columns),
        Identifier(key.parent.schema, key.parent.name),
        SQL(" AND ").join(present),
        SQL(", ").join(columns),
    )
    return connection.execute(query).fetchall()


def is_unique(key: ForeignKey, columns: Sequence[str]) -> bool:
    """Tell whether these columns of the child hold each value once."""
    return any(set(unique.columns) <= set(columns) for unique in key.child.keys)
