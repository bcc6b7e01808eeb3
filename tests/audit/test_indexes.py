"""Which indexes nobody would miss, and which are missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pgvigil.assembly import build_watch
from pgvigil.audit import IndexFault
from pgvigil.audit.build import build_audit
from pgvigil.config import Config
from tests.audit.conftest import nobody

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from pgvigil.audit import Audit
    from pgvigil.registry import Registry
    from tests.audit.conftest import Audited


class Later:
    """A clock that is ahead."""

    def __init__(self, days: int) -> None:
        self._ahead = timedelta(days=days)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        return 0.0


def names(audit: Audit, fault: IndexFault) -> set[str]:
    return {
        note.name or f"{note.table}({', '.join(note.columns)})"
        for note in audit.indexes
        if note.fault is fault
    }


def test_what_another_index_does_as_well_is_a_duplicate(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("""
        CREATE TABLE t (id int PRIMARY KEY, a text, b int, c int);
        CREATE INDEX ab ON t (a, b);
        CREATE INDEX ab_again ON t (a, b);
        CREATE INDEX a_alone ON t (a);
        CREATE INDEX b_alone ON t (b);
        CREATE INDEX a_backwards ON t (a DESC);
        CREATE INDEX a_by_hash ON t USING hash (a);
        CREATE INDEX some_a ON t (a) WHERE b > 0;
        CREATE INDEX some_a_again ON t (a) WHERE b > 0;
        CREATE INDEX id_again ON t (id);
        CREATE UNIQUE INDEX id_unique ON t (id);
        CREATE UNIQUE INDEX c_unique ON t (c);
        CREATE INDEX cb ON t (c, b);
        CREATE INDEX with_more ON t (b, c) INCLUDE (a);
        CREATE INDEX without ON t (b, c);
    """)
    audit = audited(database, sampling=False)
    assert names(audit, IndexFault.DUPLICATE) == {
        "public.ab_again",
        "public.a_alone",
        "public.some_a_again",
        "public.id_again",
        "public.id_unique",
        "public.b_alone",
        "public.without",
    }
    (note,) = [one for one in audit.indexes if one.name == "public.a_alone"]
    assert note.other in ("public.ab", "public.ab_again")


def test_two_that_are_the_same_are_not_both_called_superfluous(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("CREATE TABLE t (a int); CREATE INDEX older ON t (a); CREATE INDEX younger ON t (a)")
    assert names(audited(database, sampling=False), IndexFault.DUPLICATE) == {"public.younger"}


@pytest.mark.every_pg
def test_an_index_of_a_partitioned_table_is_told_once(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("""
        CREATE TABLE t (a int, b int) PARTITION BY RANGE (a);
        CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10);
        CREATE INDEX older ON t (b); CREATE INDEX younger ON t (b);
    """)
    assert names(audited(database, sampling=False), IndexFault.DUPLICATE) == {"public.younger"}


@pytest.fixture
def audited_later(registry: Registry, database: str) -> Callable[[int], Audit]:
    """`audited_later(days)`: the audit, made after so many days."""

    def audit(days: int) -> Audit:
        config = Config.from_dsn(database, "games")
        watch = build_watch(config, "games", registry, urgent=True)
        try:
            return build_audit(watch, sampling=False, progress=nobody, clock=Later(days))
        finally:
            watch.target.close()

    return audit


def test_an_index_is_unused_once_nobody_has_scanned_it_for_a_month(
    admin_conn: psycopg.Connection, audited_later: Callable[[int], Audit]
) -> None:
    admin_conn.execute("""
        CREATE TABLE t (id int PRIMARY KEY, a int, b int, c int UNIQUE);
        CREATE INDEX used ON t (a); CREATE INDEX unused ON t (b); CREATE UNIQUE INDEX a_rule ON t (b, a);
    """)
    admin_conn.execute("SET enable_seqscan = off")
    admin_conn.execute("SELECT FROM t WHERE a = 1")
    admin_conn.execute("SELECT pg_stat_force_next_flush()")
    admin_conn.execute("SELECT")
    early = audited_later(1)
    assert names(early, IndexFault.UNUSED) == set()
    assert any("which indexes are unused" in line for line in early.unknown)
    late = audited_later(40)
    assert names(late, IndexFault.UNUSED) == {"public.unused"}
    assert not any("which indexes are unused" in line for line in late.unknown)


def test_referencing_columns_want_an_index(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("""
        CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));
        CREATE TABLE led (a int, b int, FOREIGN KEY (a, b) REFERENCES p); CREATE INDEX ON led (b, a);
        CREATE TABLE short (a int, b int, FOREIGN KEY (a, b) REFERENCES p); CREATE INDEX ON short (a);
        CREATE TABLE part (a int, b int, FOREIGN KEY (a, b) REFERENCES p);
        CREATE INDEX ON part (a, b) WHERE a > 0;
    """)
    assert names(audited(database, sampling=False), IndexFault.MISSING) == {
        "public.short(a, b)",
        "public.part(a, b)",
    }
