"""Children and parents of all shapes: how many, with which keys, how they are spread, what is indexed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Key = Literal["int", "bigint", "uuid", "text", "composite"]

ORPHANS = 10
"""So many children of each table refer to parents that there never were."""

_TYPES = {"int": "int", "bigint": "bigint", "uuid": "uuid", "text": 'text COLLATE "C"'}
# The key of the n-th parent. Sparse keys are what is left of a table in which most rows were deleted.
_KEYS = {
    ("int", True): "{n}",
    ("int", False): "{n} * 7 + (hashint8({n}) & 3)",
    ("bigint", True): "{n}",
    ("bigint", False): "{n} * 7 + (hashint8({n}) & 3)",
    ("uuid", False): "md5(({n})::text)::uuid",
    ("text", False): "'customer ' || left(md5(({n})::text), 16)",
    ("composite", False): "({n}) / 1000, (({n}) % 1000)::int",
}
_PARTITIONS = 8


@dataclass(frozen=True)
class Shape:
    """One child and its parent.

    Of `spread` parents `zipf` gives the first ones most of the children. `wide` rows have 250 bytes more. The
    `keyed` have a primary key, as most tables have: along it a child may be walked.
    """

    children: int
    parents: int
    key: Key = "bigint"
    dense: bool = False
    zipf: bool = False
    wide: bool = False
    indexed: bool = True
    partitioned: bool = False
    keyed: bool = False

    @property
    def name(self) -> str:
        """Say what is special about it."""
        words = [
            f"{short(self.children)} children of {short(self.parents)}",
            self.key,
            *(["dense"] if self.dense else []),
            *(["zipf"] if self.zipf else []),
            *(["wide"] if self.wide else []),
            *(["partitioned"] if self.partitioned else []),
            *([] if self.indexed else ["not indexed"]),
        ]
        return ", ".join(words)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The columns of the child and of the parent that belong together."""
        if self.key == "composite":
            return (("parent_a", "a"), ("parent_b", "b"))
        return (("parent_id", "id"),)

    @property
    def subject(self) -> str:
        """The relation's name."""
        child, parent = (", ".join(names) for names in zip(*self.pairs, strict=True))
        return f"public.child({child}) -> public.parent({parent})"

    def setup(self) -> str:
        """Return the statements that make both tables, filled."""
        child, parent = (", ".join(names) for names in zip(*self.pairs, strict=True))
        types = ["int", "int"] if self.key == "composite" else [_TYPES[self.key]]
        own = ", ".join(f"{name} {kind}" for (_, name), kind in zip(self.pairs, types, strict=True))
        foreign = ", ".join(f"{name} {kind}" for (name, _), kind in zip(self.pairs, types, strict=True))
        picked = f"power({self.parents}, random())" if self.zipf else f"1 + random() * {self.parents}"
        nth = f"CASE WHEN k <= {ORPHANS} THEN {self.parents} + k ELSE floor({picked})::bigint END"
        filler = ", note text" if self.wide else ""
        note = ", repeat('x', 250)" if self.wide else ""
        index = f"CREATE INDEX ON child ({child});" if self.indexed else ""
        key = "ALTER TABLE child ADD PRIMARY KEY (id);" if self.keyed else ""
        divided = " PARTITION BY HASH (id)" if self.partitioned else ""
        # A partitioned table's key can't be left unvalidated: its relation is one that nobody declares.
        declared = f"ALTER TABLE child ADD FOREIGN KEY ({child}) REFERENCES parent NOT VALID;"
        return f"""
            SELECT setseed(0.5);
            CREATE TABLE parent ({own}, PRIMARY KEY ({parent}));
            INSERT INTO parent SELECT {self._key("n")} FROM generate_series(1::bigint, {self.parents}) AS n;
            CREATE TABLE child (id bigint, {foreign}{filler}){divided};
            {self._partitions()}
            INSERT INTO child SELECT k, {self._key("nth")}{note}
            FROM (SELECT k, {nth} AS nth FROM generate_series(1::bigint, {self.children}) AS k) AS picked;
            {index}
            {key}
            {"" if self.partitioned else declared}
        """

    def _key(self, n: str) -> str:
        return _KEYS[self.key, self.dense].format(n=n)

    def _partitions(self) -> str:
        if not self.partitioned:
            return ""
        return "\n".join(
            f"CREATE TABLE child_{number} PARTITION OF child "
            f"FOR VALUES WITH (MODULUS {_PARTITIONS}, REMAINDER {number});"
            for number in range(_PARTITIONS)
        )


def short(count: int) -> str:
    """Write a count as people say it: 10M, 100k."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if count >= unit and count % unit == 0:
            return f"{count // unit}{letter}"
    return str(count)


def small() -> list[Shape]:
    """Return what takes minutes: a million children."""
    return of(1_000_000, 1_000, 100_000)


def full() -> list[Shape]:
    """Return what takes an hour: ten million children."""
    return of(10_000_000, 10_000, 1_000_000, 10_000_000)


def huge() -> list[Shape]:
    """Return what takes half an hour and 30 GB of disk: a hundred million children."""
    return [Shape(100_000_000, 10_000, dense=True), Shape(100_000_000, 1_000_000, dense=True)]


def of(children: int, few: int, many: int, most: int = 0) -> list[Shape]:
    """Return the shapes of so many children, of few parents, many and most."""
    return [
        Shape(children, few),
        Shape(children, many, dense=True),
        Shape(children, many),
        Shape(children, many, "uuid"),
        Shape(children, many, "int", indexed=False),
        *([Shape(children, most, "int", dense=True, indexed=False)] if most else []),
        Shape(children, many, zipf=True),
        Shape(children, many, "composite"),
        Shape(children, many, "text"),
        Shape(children, many, "uuid", indexed=False),
        Shape(children, many, partitioned=True),
        Shape(children, few, dense=True),
        Shape(children, many, dense=True, wide=True),
        *([Shape(children, most, dense=True)] if most else []),
        Shape(children, few, indexed=False),
    ]
