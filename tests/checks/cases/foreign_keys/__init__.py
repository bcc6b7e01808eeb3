"""What `foreign_keys` must say of which database."""

from __future__ import annotations

from tests.checks.cases.foreign_keys.expected import EXPECTED_KEYS
from tests.checks.cases.foreign_keys.parents import WRONG_PARENTS
from tests.checks.cases.foreign_keys.protection import PROTECTION
from tests.checks.cases.foreign_keys.structure import NOTES, PARTITIONS

CASES = (*PROTECTION, *PARTITIONS, *NOTES, *WRONG_PARENTS, *EXPECTED_KEYS)
