"""Whatever is thrown at the loader, a person is told in one line what is wrong, or it loads."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pgvigil.config import load
from pgvigil.errors import ConfigError
from pgvigil.registry import Registry
from tests.config.test_load import EXAMPLE
from tests.registry.announced import announce
from tests.registry.samples import Picky, Plain

REGISTRY = Registry.load([announce(Plain, Picky)])

SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
KEYS = st.sampled_from(
    "targets games dsn every cron schemas include zones budget sample checks plain picky severity confirm"
    " enabled relations pairs web listen state retention size << 0".split()
)
VALUES = st.recursive(
    SIMPLE | st.sampled_from(["5m", "* * * * *", "dbname=x", "sqlite:///x", "127.0.0.1:0", "500MB"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
# What YAML gives a meaning to, in any order.
TEXT = st.lists(
    st.sampled_from(
        "a targets games dsn : - ? , [ ] { } & * ! !env !file !!str !!binary | > ' \" # % @ ` << --- ... &a"
        " *a 0x1 .inf ~ é 🐘 \u2028 \x85 \ufeff \t \n".split(" ")
    )
    | st.sampled_from(["\n", "\n  ", "\n    ", ": ", "- "]),
    max_size=30,
).map("".join)


def survives(content: bytes) -> None:
    """Load a file and bind its checks: either is done, or refused as it should be."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "pgvigil.yaml")
        path.write_bytes(content)
        try:
            REGISTRY.bind_all(load(path, {"GAMES_DSN": "dbname=games"}))
        except ConfigError as error:
            lines = str(error).split("\n")
            assert all(line.startswith((str(path), "… and ")) for line in lines)
            assert all(char.isprintable() for line in lines for char in line)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    survives(content)


@settings(max_examples=300, deadline=None)
@given(TEXT | st.text(max_size=60))
@example("\u2028targets")
@example("[" * 1500)
def test_any_text(text: str) -> None:
    survives(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_structure(value: dict[str, Any]) -> None:
    survives(yaml.safe_dump(value, allow_unicode=True).encode())


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_example_with_any_part_of_it_replaced(data: st.DataObject) -> None:
    document = yaml.safe_load(EXAMPLE.replace("!env GAMES_DSN", "dbname=games"))
    document["targets"]["games"]["checks"] = {
        "plain": {"severity": {"monitoring.*": "warning"}},
        "picky": {"relations": ["a.b(c) -> d.e(f)"], "every": "1h"},
    }
    part: Any = document
    while True:
        key = data.draw(st.sampled_from(list(part) if isinstance(part, dict) else range(len(part))))
        if not isinstance(part[key], dict | list) or not part[key] or data.draw(st.booleans()):
            break
        part = part[key]
    part[key] = data.draw(VALUES)
    survives(yaml.safe_dump(document, allow_unicode=True).encode())


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_example_with_any_piece_of_its_text_cut_out_or_put_in(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(EXAMPLE)))
    end = data.draw(st.integers(start, min(len(EXAMPLE), start + 30)))
    survives((EXAMPLE[:start] + data.draw(TEXT) + EXAMPLE[end:]).encode())
