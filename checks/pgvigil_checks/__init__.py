"""The built-in checks, which come through the same door as anybody else's.

To add one: a module with the check and its `Params`, its queries in `.sql` files beside it, its class in
`CHECKS`, and its cases in `tests/checks/cases/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgvigil_checks.foreign_keys import ForeignKeys
from pgvigil_checks.orphan_rows import OrphanRows
from pgvigil_checks.schema_drift import SchemaDrift
from pgvigil_checks.table_drift import TableDrift
from pgvigil_checks.tables import Tables

if TYPE_CHECKING:
    from pgvigil.check import Check

CHECKS: tuple[type[Check[Any]], ...] = (ForeignKeys, OrphanRows, TableDrift, Tables, SchemaDrift)
"""Every built-in check, in the order in which reports show them."""
