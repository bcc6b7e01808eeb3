"""What the role may not see is unknown."""

from __future__ import annotations

from tests.checks.case import Case, fails, unknown
from tests.checks.cases.orphan_rows.common import PARENT_AND_CHILD, RELATION, orphans

PERMISSIONS = (
    Case(
        title="rows that a policy hides are no clean rows",
        given=PARENT_AND_CHILD
        + """
            GRANT SELECT ON parent, child TO orphan_rows_policy;
            ALTER TABLE child ENABLE ROW LEVEL SECURITY;
            INSERT INTO child VALUES (1, 1)
        """,
        role="orphan_rows_policy",
        expected={RELATION: unknown("row-level security policy for table")},
    ),
    Case(
        title="a policy of the parent would make orphans of sound rows",
        given=PARENT_AND_CHILD
        + """
            GRANT SELECT ON parent, child TO orphan_rows_parent_policy;
            ALTER TABLE parent ENABLE ROW LEVEL SECURITY;
            INSERT INTO child VALUES (1, 1)
        """,
        role="orphan_rows_parent_policy",
        expected={RELATION: unknown("row-level security policy for table")},
    ),
    Case(
        title="a policy that is forced on the owner",
        given=PARENT_AND_CHILD
        + """
            ALTER TABLE child OWNER TO orphan_rows_owner; ALTER TABLE parent OWNER TO orphan_rows_owner;
            ALTER TABLE child ENABLE ROW LEVEL SECURITY; ALTER TABLE child FORCE ROW LEVEL SECURITY
        """,
        role="orphan_rows_owner",
        expected={RELATION: unknown("row-level security policy for table")},
    ),
    Case(
        title="a policy from which the owner is exempt",
        given=PARENT_AND_CHILD
        + """
            ALTER TABLE child OWNER TO orphan_rows_exempt; ALTER TABLE parent OWNER TO orphan_rows_exempt;
            ALTER TABLE child ENABLE ROW LEVEL SECURITY;
            SET session_replication_role = replica; INSERT INTO child VALUES (1, 9)
        """,
        role="orphan_rows_exempt",
        expected={RELATION: fails(orphans=orphans({"n": 1, "parent_id": 9}))},
    ),
    Case(
        title="a missing permission on the parent",
        given=PARENT_AND_CHILD + "GRANT SELECT ON child TO orphan_rows_stranger",
        role="orphan_rows_stranger",
        expected={RELATION: unknown("permission denied for table parent")},
    ),
)
