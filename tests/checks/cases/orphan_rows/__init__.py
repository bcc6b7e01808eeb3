"""What `orphan_rows` must say of which database."""

from __future__ import annotations

from tests.checks.cases.orphan_rows.configured import CONFIGURED_RELATIONS
from tests.checks.cases.orphan_rows.keys import COMPOSITE_KEYS, KEYS
from tests.checks.cases.orphan_rows.permissions import PERMISSIONS
from tests.checks.cases.orphan_rows.tables import NAMES_AND_SIZES, PARTITIONS_AND_INHERITANCE, TEMPORAL_KEYS
from tests.checks.cases.orphan_rows.types import TYPES

CASES = (
    *KEYS,
    *COMPOSITE_KEYS,
    *PARTITIONS_AND_INHERITANCE,
    *TEMPORAL_KEYS,
    *NAMES_AND_SIZES,
    *TYPES,
    *CONFIGURED_RELATIONS,
    *PERMISSIONS,
)
