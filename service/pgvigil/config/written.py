"""How settings and the comments around them are written: on one line of YAML, as plainly as it can be."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from pgvigil.config.origin import one_line

_WIDTH = 100
# textwrap breaks no line here.
_NO_BREAK = "\xa0"
_UNBROKEN = re.compile(r"`[^`]+`|[0-9] %")
# Words and durations: no numbers, truth values or nulls, and no character that means something.
_PLAIN = re.compile(
    r"(?!(?:null|true|false|yes|no|on|off|y|n)$)[A-Za-z_][A-Za-z0-9_.-]*|[0-9]+(?:ms|s|m|h|d)", re.IGNORECASE
)
# On a line of its own more characters mean nothing.
_PLAIN_RELATION = re.compile(r"[a-z_][a-z0-9_.]*\([a-z0-9_, ]+\) -> [a-z0-9_.]+\([a-z0-9_, ]+\)")


def flow(value: Any) -> str:
    """Write a value on one line of YAML, as plainly as it can be."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf).strip()
    return value if isinstance(value, str) else json.dumps(value)


def line(value: Any) -> str:
    """Write a value that has the rest of its line for itself."""
    plain = isinstance(value, str) and _PLAIN_RELATION.fullmatch(value)
    return str(value) if plain else flow(value)


def prose(text: str, indent: int) -> Iterator[str]:
    """Yield the lines of a comment."""
    prefix = " " * indent + "# "
    # A command or a relation on two lines is hard to copy, a figure without its unit hard to read.
    unbroken = _UNBROKEN.sub(lambda found: found[0].replace(" ", _NO_BREAK), one_line(text))
    lines = textwrap.wrap(
        unbroken, _WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False
    )
    yield from (one.replace(_NO_BREAK, " ") for one in lines)
