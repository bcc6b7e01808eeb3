"""Reads a configuration file into plain values and remembers the line of each.

The language is YAML 1.2's core: `no` and `12:30` are text, not false and 750. Beyond it there are two tags:
`!env NAME` (or `!env [NAME, default]`) and `!file PATH`, relative to the configuration file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from pgvigil.config.origin import KeyPath, Origin, joined
from pgvigil.errors import ConfigError

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | None"

_MOST_BYTES = 1_000_000
_MOST_VALUES = 100_000
_DEEPEST = 40
_PREFIX = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content, before anybody knows what it means."""

    value: Value
    origin: Origin


def read_document(
    path: Path, environ: Mapping[str, str], expected: str = "at least targets, with a dsn each"
) -> Document:
    """Read a file; raises ConfigError. `expected` is what an empty one lacks."""
    origin = Origin(str(path))
    text = _text(path, origin)
    node = _compose(text, origin)
    if node is None:
        raise origin.error((), f"is empty: expected {expected}")
    builder = _Builder(path, environ)
    value = builder.value(node, ())
    if builder.errors:
        raise joined(builder.errors)
    return Document(value, builder.origin)


def _bytes(path: Path) -> bytes:
    """Return the content; raises ValueError with the reason why there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ValueError(f"is no path: {error}") from error
    if len(content) > _MOST_BYTES:
        raise ValueError(f"is larger than {_MOST_BYTES} bytes, which no configuration is")
    return content


def _text(path: Path, origin: Origin) -> str:
    try:
        content = _bytes(path)
    except ValueError as error:
        raise origin.error((), str(error)) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise origin.at(line).error((), f"is not UTF-8 text (byte 0x{content[error.start]:02x})") from error


class _Loader(yaml.SafeLoader):
    """Composes nodes of the core schema, down to a bounded depth."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node; the limit spares the interpreter's stack."""
        if self.depth > _DEEPEST:
            raise yaml.MarkedYAMLError(
                problem=f"nested more than {_DEEPEST} levels deep", problem_mark=self.get_mark()
            )
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


# None of those that it inherits: they are YAML 1.1's, to which `no` is false.
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]{1,18}", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(_PREFIX + _tag, re.compile(rf"(?:{_pattern})\Z"), _first)


def _compose(text: str, origin: Origin) -> yaml.Node | None:
    try:
        return _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise origin.at(line).error((), f"is not valid YAML: {_problem(error)}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise origin.at(line).error((), f"is not valid YAML: {error.reason}") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise origin.error((), f"is not valid YAML: {error}") from error


def _problem(error: yaml.MarkedYAMLError) -> str:
    """Return what is wrong, without the words it quotes: a password may begin with `*`, `&` or `!`."""
    return re.sub(r" '(?!<)[^']{2,}'", "", error.problem or error.context or "no reason given")


_SCALARS: Mapping[str, Callable[[str], Value]] = {
    "null": lambda _: None,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "int": int,
    "float": float,
    "str": str,
}


class _Builder:
    """Turns nodes into values; keeps what it objects to in `errors`."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.folder = path.parent
        self.environ = environ
        self.lines: dict[KeyPath, int] = {(): 1}
        self.tags: dict[KeyPath, str] = {}
        self.secrets: dict[str, str] = {}
        self.origin = Origin(str(path), self.lines, self.tags, self.secrets)
        self.errors: list[ConfigError] = []

    def value(self, node: yaml.Node, path: KeyPath) -> Value:
        # Aliases are followed, so a few lines can stand for more values than memory holds, or for no end.
        if len(self.lines) > _MOST_VALUES or len(path) > _DEEPEST:
            raise self.origin.error(path[:3], "aliases unfold to too many values")
        try:
            return self._value(node, path)
        except ValueError as error:
            self._object(path, str(error))
            return None

    def _value(self, node: yaml.Node, path: KeyPath) -> Value:
        if node.tag == "!env":
            return self._env(node, path)
        if node.tag == "!file":
            return self._file(node, path)
        kind = node.tag.removeprefix(_PREFIX)
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return [self._item(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and kind in _SCALARS:
            return _scalar(node, kind)
        raise ValueError("unknown tag: there are !env and !file; quote text that begins with '!'")

    def _item(self, node: yaml.Node, path: KeyPath) -> Value:
        self.lines[path] = _line(node)
        return self.value(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Value]:
        mapping: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key = _key(key_node)
            inside = (*path, key)
            if key == "<<" and _plain(key_node):
                self.lines[inside] = _line(key_node)
                self._object(inside, "YAML 1.2 has no merge key: repeat the settings, or alias each")
            elif key in mapping:
                first, self.lines[inside] = self.lines[inside], _line(key_node)
                self._object(inside, f"duplicate key; the first is in line {first}")
            else:
                self.lines[inside] = _line(key_node)
                mapping[key] = self.value(value_node, inside)
        return mapping

    def _env(self, node: yaml.Node, path: KeyPath) -> str:
        name, *default = _texts(node)
        if len(default) > 1 or not name:
            raise ValueError("expected !env NAME or !env [NAME, default]")
        self.tags[path] = f"!env {name}"
        value = self.environ.get(name, *default)
        if value is None:
            raise ValueError(f"environment variable {name} is not set")
        return self._secret(value, path)

    def _file(self, node: yaml.Node, path: KeyPath) -> str:
        name = _sound(node.value if isinstance(node, yaml.ScalarNode) else "")
        if not name:
            raise ValueError("expected !file PATH")
        self.tags[path] = f"!file {name}"
        try:
            content = _bytes(self.folder / name)
            return self._secret(content.decode("utf-8-sig").strip(), path)
        except UnicodeDecodeError as error:
            raise ValueError(f"{name} is not UTF-8 text") from error
        except ValueError as error:
            raise ValueError(f"{name} {error}") from error

    def _secret(self, value: str, path: KeyPath) -> str:
        """Remember a value that no message may repeat."""
        self.secrets[_sound(value)] = self.tags[path]
        return value

    def _object(self, path: KeyPath, message: str) -> None:
        self.errors.append(self.origin.error(path, message))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _scalar(node: yaml.ScalarNode, kind: str) -> Value:
    try:
        value = _SCALARS[kind](node.value)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{node.value[:40]!r} is no {kind}") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("is too large a number")
    return _sound(value) if isinstance(value, str) else value


def _key(node: yaml.Node) -> str:
    """Return a key as it is written: keys are names, even where they look like numbers."""
    if not isinstance(node, yaml.ScalarNode) or node.tag.startswith("!"):
        raise ValueError(f"line {_line(node)}: a key must be plain text")
    return _sound(node.value)


def _plain(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None


def _texts(node: yaml.Node) -> list[str]:
    nodes: list[Any] = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return [_sound(item.value) if isinstance(item, yaml.ScalarNode) else "" for item in nodes] or [""]


def _sound(text: str) -> str:
    """Refuse text that could neither be printed nor sent to PostgreSQL."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("holds a character that is no text (a NUL or half a surrogate pair)")
    return text
