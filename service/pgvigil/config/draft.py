"""What a configuration file says before all of it is known to be sound: its sections can be read already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from pgvigil.config.explain import explain
from pgvigil.config.origin import KeyPath, Origin, joined
from pgvigil.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Draft:
    """The plain values of a file, and where each was written."""

    value: Mapping[str, Any]
    origin: Origin

    @property
    def targets(self) -> Mapping[str, Any]:
        """The targets by name, whatever is the matter with them."""
        return _mapping(self.value.get("targets"))

    def checks(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield each target with the sections of its checks, but those that are none."""
        for target, settings in self.targets.items():
            sections = _mapping(_mapping(settings).get("checks"))
            sound = {name: one for name, one in sections.items() if isinstance(one, dict)}
            yield target, sound

    def error_at(self, path: KeyPath, message: str) -> ConfigError:
        """Return an error about the setting at a path, with the file and line where it was written."""
        return self.origin.error(path, message)

    def section(self, path: KeyPath, value: object, model: type[M]) -> M:
        """Make a model of the content of one section, such as a check's; raises ConfigError."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            raise joined(explain(error, model, value, self.origin, path)) from None


Objections: TypeAlias = Callable[[Draft], Iterable[ConfigError]]
"""Tells what is wrong with the sections of a file that is wrong elsewhere, so that all is told at once."""


def no_objections(_draft: Draft) -> Iterable[ConfigError]:
    """Tell nothing: what is in sections is found out when the rest is sound."""
    return ()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
