"""Which schemas of a target are watched."""

from __future__ import annotations

from dataclasses import dataclass

from pgvigil.patterns import matches

KEPT_SCHEMA = "pgvigil_kept"
"""Where remedies keep copies of rows at fault: nothing in it is a subject, whatever settings include."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What of a target is watched. Patterns over schema names know `*` and `?`."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()

    def watches(self, schema: str) -> bool:
        """Whether tables of the schema are subjects."""
        if schema == KEPT_SCHEMA:
            return False
        return _matches(schema, self.include) and not _matches(schema, self.exclude)

    def is_deprecated(self, schema: str) -> bool:
        """Whether the schema is on its way out, so that nothing should refer to it."""
        return _matches(schema, self.deprecated)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(matches(name, pattern) for pattern in patterns)
