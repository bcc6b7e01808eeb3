"""Where settings were written, so that every error can lead back to its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pgvigil.errors import ConfigError, ConfigErrors

KeyPath: TypeAlias = tuple[str | int, ...]
"""The way to a setting: `("targets", "games", "zones", 0)`."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHORTEST_SECRET = 4


def one_line(text: str) -> str:
    """Put a message of unknown origin on one line that any terminal or log can show."""
    text = " ".join(text.split())
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def format_path(path: KeyPath) -> str:
    """Write a path as `targets.games.zones[0]`."""
    text = ""
    for part in path:
        if isinstance(part, str) and _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]"
    return text


@dataclass(frozen=True, slots=True)
class Origin:
    """The file, the line of every path in it, and the tag (`!env NAME`) of values that came from outside.

    `secrets` holds those values, with the tag that stands for each wherever a message would repeat it.
    """

    file: str | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    tags: Mapping[KeyPath, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def error(self, path: KeyPath, message: str) -> ConfigError:
        """Return an error at a path, or at the closest setting above it that was written down."""
        file = None if self.file is None else one_line(self.file)
        return ConfigError(
            one_line(self._without_secrets(message)),
            file=file,
            line=self._line(path),
            path=format_path(path) or None,
        )

    def at(self, line: int) -> Origin:
        """Return an origin of which only one line is known."""
        return Origin(self.file, {(): line})

    def tag(self, path: KeyPath) -> str | None:
        """Return the tag that brought the value at a path, or one of those around it."""
        return next((self.tags[above] for above in _upwards(path) if above in self.tags), None)

    def _without_secrets(self, message: str) -> str:
        for value, tag in self.secrets.items():
            # Shorter ones would tear ordinary words apart, and are no secrets.
            if len(value) >= _SHORTEST_SECRET:
                message = message.replace(value, tag)
        return message

    def _line(self, path: KeyPath) -> int | None:
        return next((self.lines[above] for above in _upwards(path) if above in self.lines), None)


def _upwards(path: KeyPath) -> Iterable[KeyPath]:
    return (path[:length] for length in range(len(path), -1, -1))


def joined(errors: Iterable[ConfigError]) -> ConfigError:
    """Return one error that stands for all of them, in the order of the file."""
    flat = [
        one for error in errors for one in (error.errors if isinstance(error, ConfigErrors) else (error,))
    ]
    return flat[0] if len(flat) == 1 else ConfigErrors(sorted(flat, key=lambda error: error.line or 0))
