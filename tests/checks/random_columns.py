"""Columns of random pairs: types on two sides, values, and what those mean in plain Python."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Meaning = Callable[[str], Hashable]

SETUP = "CREATE TYPE mood AS ENUM ('ok', 'bad', 'a', 'b')"
"""What has to be there before a table of these columns."""


def number(text: str) -> Hashable:
    return "NaN" if text == "NaN" else Decimal(text)


def double(text: str) -> Hashable:
    return "NaN" if text == "NaN" else float(text)


def single(text: str) -> Hashable:
    return "NaN" if text == "NaN" else struct.unpack("f", struct.pack("f", float(text)))[0]


def padded(text: str) -> str:
    return text.rstrip(" ")


def moment(text: str) -> datetime | str:
    if text.endswith("infinity"):
        return text
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def document(text: str) -> str:
    return json.dumps(json.loads(text, parse_int=float), sort_keys=True)


def array(text: str) -> str:
    return text.replace(" ", "")


def seconds(text: str) -> int:
    count, unit = text.split()
    return int(count) * {"day": 86_400, "hours": 3_600, "minutes": 60}[unit]


@dataclass(frozen=True)
class Kind:
    """Two types, what is written into each, what that means, and what tolerances are made of, `scale`."""

    types: tuple[str, str]
    texts: tuple[Sequence[str], Sequence[str]]
    meanings: tuple[Meaning, Meaning]
    scale: str = ""
    as_key: bool = True
    expressions: tuple[str, str] = ("{}", "{}")


def alike(types: str, texts: str | Sequence[str], meaning: Meaning, **more: Any) -> Kind:
    left, _, right = types.partition(" / ")
    values = texts.split() if isinstance(texts, str) else texts
    return Kind((left, right or left), (values, values), (meaning, meaning), **more)


INTEGERS = "0 1 2 -5 30000"
STRINGS = ["", "a", "A", "b", " a", "é", "it's", "NULL", "100%"]
MOMENTS = ["2026-01-01 12:00+02:00", "2026-01-01 10:00+00:00", "2026-01-01 10:10+00:00", "infinity"]
KINDS = [
    alike("int", INTEGERS, number, scale="number"),
    alike("smallint / bigint", INTEGERS, number, scale="number"),
    Kind(("int", "numeric"), (INTEGERS.split(), "0.0 1 1.00 1.5 -5".split()), (number, number), "number"),
    alike("numeric", "0 1 1.0 1.50 1.5 1.75 NaN -2 Infinity", number, scale="number"),
    alike("numeric / float8", "0 0.1 0.10 0.11 0.3 NaN Infinity -Infinity", double, scale="number"),
    alike("float8", "0 -0.0 0.1 0.3 0.29 NaN Infinity -Infinity", double, scale="number"),
    alike("real / float8", "0 0.1 0.10000001 0.3 NaN", single, scale="number"),
    alike("text", STRINGS, str),
    alike("text / varchar(9)", STRINGS, str),
    alike('text / text COLLATE "C"', STRINGS, str),
    alike("char(4) / char(9)", ["", "a", "a ", "A", "b"], padded),
    Kind(("char(4)", "text"), (["", "a", "b "], ["", "a", "a ", "b"]), (padded, str)),
    Kind(
        ("text", "text"),
        (["A", "a", "B", ""], ["a", "b", ""]),
        (str.lower, str),
        "",
        True,
        ("lower({})", "{}"),
    ),
    Kind(("int", "text"), (["1", "2", "3"], ["1", "2", "03"]), (str, str), "", True, ("{}::text", "{}")),
    alike("bool", "true false", str),
    alike("uuid", [f"{'ab' * 16}", f"{'AB' * 16}", f"{'cd' * 16}"], str.lower),
    alike("bytea", [r"\x00", r"\xab", r"\xAB", r"\x"], str.lower),
    alike("date / timestamp", "2026-01-01 2026-01-02 infinity -infinity", moment, scale="moment"),
    alike("timestamptz", MOMENTS, moment, scale="moment"),
    alike("mood", "ok bad a b", str),
    alike("mood / text", "ok bad a b", str),
    alike("jsonb", ['{"a":1,"b":2}', '{"b":2,"a":1.0}', "{}", "null", "[1]"], document),
    alike("json / jsonb", ['{"a":1,"b":2}', '{"b":2,"a":1.0}', "{}", "true"], document, as_key=False),
    alike("text[]", ["{}", "{a}", "{a,NULL}", "{b}"], array),
    alike("int[] / bigint[]", ["{}", "{1}", "{1, 2}", "{NULL}"], array),
    alike("interval", ["1 day", "24 hours", "1440 minutes", "2 hours"], seconds),
    alike("point", ["(1,2)", "(2,1)"], str, as_key=False),
]
# With few values, keys collide; with these, most rows are compared.
MANY = [str(n) for n in range(300)]
WIDE = [
    alike("int / bigint", MANY, number),
    alike("int / numeric", MANY, number),
    alike("text / varchar", MANY, str),
    alike("char(4)", MANY, padded),
    alike("uuid", [f"{n:032x}" for n in range(300)], str),
    alike("timestamptz / timestamp", [f"2026-01-01 10:{n // 60:02}:{n % 60:02}" for n in range(300)], moment),
]


@dataclass(frozen=True)
class Part:
    """A part of the key or a compared column, with its names on both sides."""

    kind: Kind
    names: tuple[str, str]
    tolerance: Decimal | timedelta | None = None

    def means(self, side: int, text: str | None) -> Hashable:
        return None if text is None else self.kind.meanings[side](text)

    def differs(self, left: str | None, right: str | None) -> bool:
        one, other = self.means(0, left), self.means(1, right)
        if one == other or one is None or other is None or self.tolerance is None:
            return one != other
        if isinstance(self.tolerance, Decimal):
            one, other = Decimal(str(left)), Decimal(str(right))
            return not (one.is_finite() and other.is_finite() and abs(one - other) <= self.tolerance)
        apart = abs(one - other) if isinstance(one, datetime) and isinstance(other, datetime) else None
        return apart is None or apart > self.tolerance
