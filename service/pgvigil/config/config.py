"""A configuration: settings that were read and found sound, and where each was written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr, ValidationError

from pgvigil.config.draft import Draft, M, Objections, no_objections
from pgvigil.config.dsn import read_dsn
from pgvigil.config.explain import explain
from pgvigil.config.origin import KeyPath, Origin, joined
from pgvigil.config.settings import Settings
from pgvigil.errors import ConfigError


class Config(Settings):
    """The settings of one pgvigil, from a file (`load`) or from nothing but a DSN (`from_dsn`)."""

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @classmethod
    def read(cls, value: object, origin: Origin, objections: Objections = no_objections) -> Config:
        """Make a configuration of plain values; raises ConfigError with all that is wrong with them.

        `objections` are asked for what is wrong with sections, should something else be.
        """
        if not isinstance(value, dict):
            raise origin.error((), "expected a mapping with at least the key targets")
        try:
            return cls.model_validate(value, context=origin)
        except ValidationError as error:
            raise joined([*explain(error, cls, value, origin), *objections(Draft(value, origin))]) from None

    def model_post_init(self, context: Origin | None) -> None:
        """Remember where the settings were written."""
        self._origin = context or Origin()

    @classmethod
    def from_dsn(cls, dsn: str, name: str | None = None) -> Config:
        """Make the configuration of a single target, named after its database unless `name` is given."""
        try:
            parameters = read_dsn(dsn)
        except ValueError as error:
            raise ConfigError(str(error), path="dsn") from None
        return cls.read({"targets": {name or _name_of(parameters): {"dsn": dsn}}}, Origin())

    def error_at(self, path: KeyPath, message: str) -> ConfigError:
        """Return an error about the setting at a path, with the file and line where it was written."""
        return self._origin.error(path, message)

    def without_imports(self, shown: dict[str, Any]) -> dict[str, Any]:
        """Put the tag (`!env NAME`) for every value from outside the file, in a dump of the settings."""
        for path, tag in self._origin.tags.items():
            place: Any = shown
            for part in path[:-1]:
                place = place.get(part) if isinstance(place, dict) else None
            if isinstance(place, dict) and path and path[-1] in place:
                place[path[-1]] = tag
        return shown

    def beside(self, path: Path) -> Path:
        """Return a path of the configuration, which is relative to the directory of its file."""
        return Path(self._origin.file or "").parent / path

    def section(self, path: KeyPath, value: object, model: type[M]) -> M:
        """Make a model of the content of one section, such as a check's; raises ConfigError."""
        return Draft({}, self._origin).section(path, value, model)


def load(
    path: str | Path, environ: Mapping[str, str] = os.environ, objections: Objections = no_objections
) -> Config:
    """Read a configuration file; raises ConfigError with all that is wrong with it, one line each.

    The settings of checks are only known to be mappings: the registry knows what belongs into them, and has
    `objections` to those of a file in which something else is wrong.
    """
    from pgvigil.config.document import read_document  # noqa: PLC0415 -- a DSN alone needs no YAML

    document = read_document(Path(path), environ)
    return Config.read(document.value, document.origin, objections)


def _name_of(parameters: Mapping[str, Any]) -> str:
    """Name a target after its database, which libpq in turn names after the user when it isn't told."""
    database = parameters.get("dbname") or os.environ.get("PGDATABASE") or parameters.get("user") or "target"
    return re.sub(r"[^A-Za-z0-9_.-]", "_", str(database)).lstrip(".-")[:63] or "target"
