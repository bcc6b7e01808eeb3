"""Random relations of integers: dense or with holes, at the ends of their types, indexed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

RANGES = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
_NEAR = 20


class IntegerRelation:
    """One relation in a schema of its own, with all of its rows, and the answer."""

    named_by = "k"

    def __init__(self, schema: str, dice: Random) -> None:
        self.schema = schema
        self.parent_type, self.child_type = dice.choice(list(RANGES)), dice.choice(list(RANGES))
        self.configured = dice.random() < 0.4
        self.child_index = dice.choice(["", "(k)", "(k)", "(k DESC)", "(k, n)", "(n, k)", "(k) WHERE k > 0"])
        self.parent_index = "UNIQUE (k)"
        if self.configured:
            self.parent_index = dice.choice(["UNIQUE (k)", "UNIQUE (k)", "(k)", ""])
        self.partitioned = dice.random() < 0.25
        self.analysed = dice.random() < 0.5
        self.parents = self._parents(dice)
        self.children = self._children(dice)

    def _parents(self, dice: Random) -> list[int | None]:
        least, greatest = RANGES[self.parent_type]
        start = dice.choice([least, greatest - _NEAR, -3, 0, 1, 1000])
        keys: list[int | None] = [start + n for n in range(dice.choice([0, 1, 2, _NEAR, _NEAR + 1]))]
        for _ in range(dice.choice([0, 0, 1, 5])):
            if keys:
                keys.remove(dice.choice(keys))
        if dice.random() < 0.2:
            keys += [far for far in (least, greatest, greatest - 1) if far not in keys]
        if self.parent_index != "UNIQUE (k)" and keys:
            keys += [dice.choice(keys) for _ in range(5)]
        # A key that is unique, but not primary, may be NULL as often as it likes.
        return keys + [None] * dice.choice([0, 0, 3])

    def _children(self, dice: Random) -> dict[int, int | None]:
        least, greatest = RANGES[self.child_type]
        there = [key for key in self.parents if key is not None and least <= key <= greatest]
        near = [n + d for n in there for d in (-1, 0, 1) if least <= n + d <= greatest]
        pools = ([least, greatest, 0, -1], near or [least], near or [greatest], there or [0], there or [1])
        return {
            n: None if dice.random() < 0.1 else dice.choice(dice.choice(pools[dice.choice([0, 0, 3]) :]))
            for n in range(dice.choice([0, 5, 40]))
        }

    @property
    def subject(self) -> str:
        """The relation, as the check names it."""
        return f"{self.schema}.child(k) -> {self.schema}.parent(k)"

    @property
    def width(self) -> int:
        """How far the parent's keys lie apart."""
        keys = [key for key in self.parents if key is not None]
        return max(keys) - min(keys) if keys else 0

    def orphans(self) -> list[int]:
        """Return the keys of the child rows without a parent, in order."""
        parents = {*self.parents}
        return sorted(n for n, key in self.children.items() if key is not None and key not in parents)

    def shown(self, rows: list[int]) -> list[int]:
        """Return what a sample shows of some rows: it has no key, so what they refer to."""
        return sorted(key for n in rows if (key := self.children[n]) is not None)

    def partial_nulls(self) -> list[int]:
        """Return the rows that MATCH FULL forbids: a single column is never NULL in part."""
        return []

    def sql(self) -> str:
        """Return what makes tables and rows, in a session that fires no triggers."""
        key = "" if self.configured else ", FOREIGN KEY (k) REFERENCES parent (k)"
        unique = ", UNIQUE (k)" if self.parent_index.startswith("UNIQUE") else ""
        parts = "PARTITION BY HASH (k)" if self.partitioned else ""
        parents, children = self.parents, list(self.children.items())
        names = [f"{table}_{n}" for table in ("parent", "child") for n in (0, 1)] if self.partitioned else []
        return f"""
            CREATE SCHEMA {self.schema}; SET search_path = {self.schema};
            CREATE TABLE parent (k {self.parent_type}{unique}) {parts};
            CREATE TABLE child (n int, k {self.child_type}{key}) {parts};
            {"".join(_part(name) for name in names)}
            {f"CREATE INDEX ON parent {self.parent_index};" if self.parent_index == "(k)" else ""}
            {f"CREATE INDEX ON child {self.child_index};" if self.child_index else ""}
            {f"INSERT INTO parent VALUES {_rows((key,) for key in parents)};" if parents else ""}
            {f"INSERT INTO child VALUES {_rows(children)};" if children else ""}
            {"ANALYZE parent; ANALYZE child;" if self.analysed else ""}
        """


def _part(name: str) -> str:
    table, number = name.split("_")
    return f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES WITH (MODULUS 2, REMAINDER {number});"


def _rows(rows: Iterable[tuple[int | None, ...]]) -> str:
    written = (", ".join("NULL" if one is None else f"'{one}'" for one in row) for row in rows)
    return ", ".join(f"({row})" for row in written)
