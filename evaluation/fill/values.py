"""What columns are filled with that refer to nothing: one recipe a column, drawn once.

A recipe sees the column's type and constraints, and of its name only whether it ends in `id`: an identifier
that is not declared to refer to anything is one of another system. It does not know what inference looks at.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random

from evaluation.fill.shape import Field
from evaluation.fill.words import WORDS

Recipe = Callable[[int], str | None]
"""Returns the value of the row of that number, as PostgreSQL reads it."""

_TEXTS = {"text", "varchar", "bpchar", "citext", "name", "char"}
_INTEGERS = {"int2": 30_000, "int4": 2_000_000_000, "int8": 4_000_000_000_000}
_UUID = 32


def is_integer(field: Field) -> bool:
    """Tell whether it holds whole numbers."""
    return field.type in _INTEGERS


def recipe(field: Field, random: Random) -> Recipe | None:
    """Return how this column is filled; None when nothing is known of its type."""
    if field.labels:
        return lambda _: random.choice(field.labels)
    if field.literals:
        return lambda _: random.choice(field.literals)
    if field.type in _INTEGERS:
        return _integer(field, random)
    if field.type in _TEXTS:
        return _text(field, random)
    if field.type == "numeric":
        return _numeric(field, random)
    made = _OTHERS.get(field.type)
    return None if made is None else lambda _: made(random)


def key_recipe(field: Field, first: int, random: Random) -> Recipe | None:
    """Return how a column is filled that is a key by itself; integers go up from `first`, some with gaps."""
    if field.type in _INTEGERS:
        gaps = random.choice([0.0, 0.0, 0.05, 0.3])
        upcoming = first - 1

        def number(_: int) -> str:
            nonlocal upcoming
            upcoming += 1
            while random.random() < gaps:
                upcoming += 1
            return str(upcoming)

        return number
    if field.type in _TEXTS and not field.literals:
        return _identifier(field, random) if field.primary and _long(field) else _distinct(field, random)
    return recipe(field, random)


def _integer(field: Field, random: Random) -> Recipe:
    least, greatest = field.bounds
    low, high = least or 0, _INTEGERS[field.type] if greatest is None else greatest
    if field.unique:
        offset = random.choice([1, 1000, 100_000])
        return lambda row: str(min(low + offset + row * 7, high + row))
    external = field.name.endswith("id")
    kind = (
        random.choice(["serial", "large"]) if external else random.choice(["code", "count", "place", "size"])
    )
    top = {
        "code": random.randint(1, 9),
        "count": 1000,
        "place": random.randint(5, 200),
        "size": min(10**9, high),
        "serial": int(10 ** random.uniform(2, 6)),
        "large": min(2 * 10**9, high),
    }[kind]

    def number(_: int) -> str:
        share = random.random()
        drawn = share**3 if kind == "count" else share**6 if kind == "size" else share
        return str(min(low + int(drawn * top) + external, high))

    return number


def _numeric(field: Field, random: Random) -> Recipe:
    """Draw amounts with as many digits as there may be, four before the point at the most."""
    precision, scale = divmod(field.modifier - 4, 1 << 16) if field.modifier > 4 else (9, 2)
    top = 10 ** max(0, min(precision - scale, 4)) - 1
    return lambda _: f"{random.randint(0, top)}.{random.randint(0, 99):02}"


def _long(field: Field) -> bool:
    return field.length is not None and _UUID <= field.length <= 64


def _text(field: Field, random: Random) -> Recipe:
    if field.unique:
        return _distinct(field, random)
    if field.name.endswith("id") and (field.length is None or field.length >= _UUID):
        return _identifier(field, random)
    few = random.sample(WORDS, random.randint(3, 8))
    if random.random() < 0.35:
        return lambda _: _cut(random.choice(few), field)
    most = random.randint(1, 6)
    return lambda _: _cut(" ".join(random.choices(WORDS, k=random.randint(1, most))), field)


def _identifier(field: Field, random: Random) -> Recipe:
    dashes = field.length is None or field.length >= 36

    def drawn(_: int) -> str:
        value = uuid.UUID(int=random.getrandbits(128), version=4)
        return str(value) if dashes else value.hex

    return drawn


def _distinct(field: Field, random: Random) -> Recipe:
    """Words first, as codes are; then with numbers, or numbers alone where there is no room."""
    words = random.sample(WORDS, len(WORDS))

    def word(row: int) -> str:
        text = words[row] if row < len(words) else f"{words[row % len(words)]}-{row}"
        return text if field.length is None or len(text) <= field.length else _short(row, field.length)

    return word


def _short(row: int, length: int) -> str:
    """Write a number in letters, as short codes are."""
    letters = ""
    while len(letters) < min(length, 8):
        row, letter = divmod(row, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _cut(text: str, field: Field) -> str:
    length = 1 if field.type == "char" else field.length
    return text if length is None else text[:length].strip() or "x"


def _moment(random: Random) -> str:
    return f"20{random.randint(22, 25)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"


def _time(random: Random) -> str:
    return f"{random.randint(0, 23):02}:{random.randint(0, 59):02}:{random.randint(0, 59):02}"


def _address(random: Random) -> str:
    return f"10.{random.randint(0, 255)}.{random.randint(0, 255)}.{random.randint(1, 254)}"


def _hexadecimal(random: Random, digits: int) -> str:
    return f"{random.getrandbits(4 * digits):0{digits}x}"


_OTHERS: dict[str, Callable[[Random], str]] = {
    "bool": lambda random: random.choice("tf"),
    "uuid": lambda random: str(uuid.UUID(int=random.getrandbits(128), version=4)),
    "date": _moment,
    "timestamp": lambda random: f"{_moment(random)} {_time(random)}",
    "timestamptz": lambda random: f"{_moment(random)} {_time(random)}+00",
    "time": _time,
    "timetz": lambda random: f"{_time(random)}+00",
    "interval": lambda random: f"{random.randint(1, 10_000)} minutes",
    "money": lambda random: str(random.randint(0, 1000)),
    "float4": lambda random: f"{random.uniform(0, 100):.3f}",
    "float8": lambda random: f"{random.uniform(0, 100):.3f}",
    "json": lambda random: f'{{"{random.choice(WORDS)}": {random.randint(0, 99)}}}',
    "jsonb": lambda random: f'{{"{random.choice(WORDS)}": {random.randint(0, 99)}}}',
    "bytea": lambda random: f"\\x{_hexadecimal(random, 32)}",
    "inet": _address,
    "cidr": lambda random: f"{_address(random)}/32",
    "macaddr": lambda random: _hexadecimal(random, 12),
    "array": lambda _: "{}",
    "hstore": lambda _: "",
    "tsvector": lambda random: random.choice(WORDS),
    "xml": lambda random: f"<{random.choice(WORDS)}/>",
    "int4range": lambda random: f"[1,{random.randint(2, 99)})",
    "daterange": lambda random: f"[2020-01-01,{_moment(random)})",
    "tstzrange": lambda random: f"[2020-01-01,{_moment(random)})",
    "oid": lambda random: str(random.randint(1, 9999)),
    "cube": lambda random: f"({random.randint(0, 99)})",
    "point": lambda random: f"({random.randint(0, 99)},{random.randint(0, 99)})",
}
