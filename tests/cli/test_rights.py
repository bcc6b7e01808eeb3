"""`pgvigil config check --connect` names the tables that the role may not read: by settings, or found."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.cli.command import Answer, pgvigil, refused
from tests.databases import fresh_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pgvigil.embedded import Server

SHOP = """
    CREATE SCHEMA shop;
    CREATE SCHEMA hidden;
    CREATE TABLE shop.games (id int PRIMARY KEY, name text);
    CREATE TABLE shop.copies (id int PRIMARY KEY, name text);
    CREATE TABLE hidden."Sales" (id int PRIMARY KEY, game int);
"""
FILE = """
targets:
  main:
    dsn: !env MAIN
    checks:
      orphan_rows:
        relations: ['hidden."Sales"(game) -> shop.games(id)']
      table_drift:
        pairs:
          - {left: shop.games, right: shop.copies}
          - {left: shop.games, right: shop.games, right_target: ware.house}
  ware.house:
    dsn: !env OTHER
"""


class Shop:
    """Two databases, and a role that is let in and no further."""

    def __init__(self, dsns: dict[str, str], role: str, file: Path) -> None:
        self.role = role
        self._dsns = dsns
        self.file = file
        file.write_text(FILE)

    def execute(self, statement: str, where: str = "MAIN") -> None:
        with psycopg.connect(self._dsns[where], autocommit=True) as conn:
            conn.execute(statement.encode())

    def check(self) -> Answer:
        return self.run("config", "check", "--connect", self.file)

    def run(self, *arguments: object) -> Answer:
        reached = {
            name: make_conninfo(dsn, user=self.role, password="secret") for name, dsn in self._dsns.items()
        }
        return pgvigil(*arguments, **reached)

    def at(self, line: int, place: str) -> str:
        return f"{self.file}:{line}: targets.main.checks.{place}: "


@pytest.fixture
def shop(pg_server: Server, tmp_path: Path) -> Iterator[Shop]:
    role = f"rights_{secrets.token_hex(4)}"
    with fresh_database(pg_server) as main, fresh_database(pg_server) as other:
        shop = Shop({"MAIN": main, "OTHER": other}, role, tmp_path / "pgvigil.yaml")
        for where in ("MAIN", "OTHER"):
            shop.execute(SHOP, where)
        shop.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
        for where in ("MAIN", "OTHER"):
            shop.execute(f"GRANT USAGE ON SCHEMA shop TO {role}", where)
            shop.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {role}", where)
            shop.execute(f"GRANT USAGE ON SCHEMA hidden TO {role}", where)
            shop.execute(f'GRANT SELECT ON hidden."Sales" TO {role}', where)
        try:
            yield shop
        finally:
            for where in ("MAIN", "OTHER"):
                shop.execute(f"DROP OWNED BY {role}", where)
            shop.execute(f"DROP ROLE {role}")


@pytest.mark.every_pg
def test_what_may_not_be_read_is_named_with_what_mends_it(shop: Shop) -> None:
    role = shop.role
    answer = shop.check()
    assert (answer.status, answer.err) == (0, "")
    shop.execute(f'REVOKE SELECT ON hidden."Sales" FROM {role}; REVOKE USAGE ON SCHEMA hidden FROM {role}')
    shop.execute(f"REVOKE SELECT ON shop.copies FROM {role}")
    shop.execute(f"REVOKE SELECT ON shop.games FROM {role}", "OTHER")
    answer = shop.check()
    assert (answer.status, answer.out) == (2, "")
    sales, copies, games = (line.removeprefix("pgvigil: ") for line in answer.err.splitlines())
    mend = [f"GRANT USAGE ON SCHEMA hidden TO {role}", f'GRANT SELECT ON hidden."Sales" TO {role}']
    no = f"the role {role} may not read"
    assert sales == shop.at(7, "orphan_rows.relations[0]") + f'{no} hidden."Sales": {"; ".join(mend)}'
    copy_grant, game_grant = f"GRANT SELECT ON shop.copies TO {role}", f"GRANT SELECT ON shop.games TO {role}"
    assert copies == shop.at(10, "table_drift.pairs[0].right") + f"{no} shop.copies: {copy_grant}"
    there = shop.at(11, "table_drift.pairs[1].right_target")
    assert games == f"{there}target ware.house: {no} shop.games: {game_grant}"
    for grant in (*mend, copy_grant):
        shop.execute(grant)
    shop.execute(game_grant, "OTHER")
    assert shop.check().status == 0


def test_rows_that_a_policy_hides_are_told(shop: Shop) -> None:
    shop.execute("ALTER TABLE shop.copies ENABLE ROW LEVEL SECURITY")
    told = f"row-level security hides rows of shop.copies from the role {shop.role}: ALTER ROLE {shop.role}"
    refused(shop.check(), 2, shop.at(10, "table_drift.pairs[0].right") + f"{told} BYPASSRLS")


def test_columns_that_may_not_be_read_are_a_warning(shop: Shop) -> None:
    """A relation or pair may do with the others."""
    shop.execute(f"REVOKE SELECT ON shop.copies FROM {shop.role}")
    shop.execute(f"GRANT SELECT (id) ON shop.copies TO {shop.role}")
    answer = shop.check()
    assert answer.status == 0
    (warning,) = answer.err.splitlines()
    told = f"the role {shop.role} may read only some columns of shop.copies: GRANT SELECT ON shop.copies TO "
    assert warning == f"pgvigil: warning: {shop.at(10, 'table_drift.pairs[0].right')}{told}{shop.role}"


WATCHED = """
    CREATE TABLE shop.makers (id int PRIMARY KEY);
    CREATE TABLE shop.toys (id int PRIMARY KEY, maker int REFERENCES shop.makers) PARTITION BY RANGE (id);
    CREATE TABLE shop.toys_1 PARTITION OF shop.toys FOR VALUES FROM (0) TO (9);
    CREATE TABLE shop.stock (id int PRIMARY KEY);
    CREATE TABLE shop.rules (id int PRIMARY KEY);
    ALTER TABLE shop.rules ENABLE ROW LEVEL SECURITY;
"""


@pytest.mark.every_pg
def test_tables_that_are_only_watched_and_may_not_be_read_are_a_warning(shop: Shop) -> None:
    shop.execute(WATCHED)
    shop.execute(f"GRANT SELECT ON shop.rules TO {shop.role}; GRANT SELECT (id) ON shop.stock TO {shop.role}")
    answer = shop.check()
    assert answer.status == 0
    (warning,) = answer.err.splitlines()
    file = shop.file
    assert warning == (
        f"pgvigil: warning: main: the role {shop.role} may not read all of 4 tables that checks read "
        "(shop.makers, shop.rules, shop.stock, …): what needs more is unknown, until an administrator runs "
        f"the SQL of `pgvigil grants --config {file} --target main --role {shop.role}`"
    )
    granted = shop.run("grants", "--config", file, "--target", "main", "--role", shop.role)
    try:
        shop.execute(granted.out)
        assert (shop.check().status, shop.check().err) == (0, "")
    finally:
        shop.execute(f"ALTER ROLE {shop.role} NOBYPASSRLS")


def test_a_table_that_no_check_reads_is_no_warning(shop: Shop) -> None:
    shop.execute("CREATE TABLE shop.loose (id int)")
    shop.file.write_text(FILE.replace("    checks:\n", "    checks:\n      tables: {enabled: false}\n"))
    assert (shop.check().status, shop.check().err) == (0, "")
