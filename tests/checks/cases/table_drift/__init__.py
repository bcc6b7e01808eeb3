"""What `table_drift` must say of which pair of tables."""

from __future__ import annotations

from tests.checks.cases.table_drift.expressions import EXPRESSIONS
from tests.checks.cases.table_drift.keys import KEYS
from tests.checks.cases.table_drift.rows import ROWS
from tests.checks.cases.table_drift.tables import TABLES
from tests.checks.cases.table_drift.values import VALUES

CASES = (*ROWS, *KEYS, *EXPRESSIONS, *TABLES, *VALUES)
