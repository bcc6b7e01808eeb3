"""What `tables` promises beyond what its cases show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.check import Outcome, Params
from pgvigil_checks.tables import Tables
from tests.checks.examining import examine

if TYPE_CHECKING:
    from pgvigil.check import Context, Subject, Verdict


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t RENAME TO old; CREATE TABLE t (id int)",
        "ALTER TABLE t RENAME TO old; CREATE TABLE t (id int) PARTITION BY LIST (id)",
        "CREATE TABLE heir () INHERITS (t)",
    ],
)
def test_a_table_that_changed_since_discovery_is_unknown(emptied_database: str, change: str) -> None:
    with psycopg.connect(emptied_database, autocommit=True) as conn:
        conn.execute("CREATE TABLE t (id int)")

    class Late(Tables):
        """Looks at its subjects after their table was changed."""

        def run(self, context: Context, subject: Subject) -> Verdict:
            with psycopg.connect(emptied_database, autocommit=True) as conn:
                conn.execute(change)
            return super().run(context, subject)

    run = examine(Late(Params()), emptied_database).only
    assert (run.outcome, run.error) == (
        Outcome.SKIPPED,
        "public.t was changed while pgvigil looked at it",
    )
