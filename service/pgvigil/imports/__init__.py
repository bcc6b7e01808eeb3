"""Relations that a team has written down elsewhere: tests of dbt, loose foreign keys of GitLab."""

from pgvigil.imports.fitting import Imported, Kind
from pgvigil.imports.reading import KINDS, imported_relations

__all__ = ["KINDS", "Imported", "Kind", "imported_relations"]
