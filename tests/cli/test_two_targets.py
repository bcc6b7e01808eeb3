"""A pair whose tables live in two targets, from the file to the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.cli.command import pgvigil, refused
from tests.databases import fresh_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pgvigil.embedded import Server

TABLE = "CREATE SCHEMA shop; CREATE TABLE shop.games (id int PRIMARY KEY, name text);"
ROWS = "INSERT INTO shop.games VALUES (1, 'one'), (2, 'two');"
FILE = """
targets:
  main:
    dsn: !env MAIN
    checks:
      table_drift:
        pairs:
          - left: shop.games
            right: shop.games
            right_target: {target}
            columns: {{name: {column}}}
  ware.house:
    dsn: !env OTHER
    schemas: {{include: [public]}}
"""


@pytest.fixture
def dsns(pg_server: Server) -> Iterator[dict[str, str]]:
    with fresh_database(pg_server) as main, fresh_database(pg_server) as other:
        for dsn in (main, other):
            with psycopg.connect(dsn, autocommit=True) as conn:
                conn.execute(f"{TABLE} {ROWS}".encode())
        yield {"MAIN": main, "OTHER": other}


def file_of(tmp_path: Path, target: str = "ware.house", column: str = "name") -> Path:
    file = tmp_path / "pgvigil.yaml"
    file.write_text(FILE.format(target=target, column=column))
    return file


@pytest.mark.parametrize(
    ("target", "complaint"),
    [("ware.huose", "unknown target; did you mean 'ware.house'?"), ("main", "main is the target itself")],
)
def test_a_target_that_is_none_is_told_with_its_line(
    target: str, complaint: str, dsns: dict[str, str], tmp_path: Path
) -> None:
    file = file_of(tmp_path, target)
    place = "targets.main.checks.table_drift.pairs[0].right_target"
    refused(pgvigil("config", "check", file, **dsns), 2, f"{file}:10: {place}: {complaint}")


def test_what_the_other_target_lacks_is_told_with_its_line(dsns: dict[str, str], tmp_path: Path) -> None:
    assert pgvigil("config", "check", "--connect", file_of(tmp_path), **dsns).status == 0
    file = file_of(tmp_path, column="title")
    refused(pgvigil("config", "check", "--connect", file, **dsns), 2, "shop.games has no column 'title'")
    with psycopg.connect(dsns["OTHER"], autocommit=True) as conn:
        conn.execute("DROP TABLE shop.games")
    complaint = "there is no table shop.games on target ware.house"
    refused(pgvigil("config", "check", "--connect", file, **dsns), 2, complaint)
    answer = pgvigil("check", "--config", file, "--target", "main", "--check", "table_drift", **dsns)
    assert (answer.status, complaint in answer.out) == (3, True)


def test_the_roles_that_grants_makes_compare_the_two(dsns: dict[str, str], tmp_path: Path) -> None:
    file = file_of(tmp_path)
    reached = {}
    try:
        for name, target in (("MAIN", "main"), ("OTHER", "ware.house")):
            arguments = ("grants", "--config", file, "--target", target, "--role", "two_guard")
            sql = pgvigil(*arguments, **dsns).out
            with psycopg.connect(dsns[name], autocommit=True) as conn:
                conn.execute(sql.encode())
                conn.execute("ALTER ROLE two_guard LOGIN PASSWORD 'secret'")
            reached[name] = make_conninfo(dsns[name], user="two_guard", password="secret")
        arguments = ("check", "--config", file, "--target", "main", "--format", "json")
        answer = pgvigil(*arguments, **reached)
        assert (answer.status, answer.json["coverage"]["unknown"]) == (0, 0)
        with psycopg.connect(dsns["OTHER"], autocommit=True) as conn:
            conn.execute("DELETE FROM shop.games WHERE id = 2")
        answer = pgvigil(*arguments, **reached)
        assert answer.status == 1
        (found,) = answer.json["findings"]
        assert (found["subject"], found["count"]) == ("shop.games <> ware.house:shop.games", 1)
    finally:
        for dsn in dsns.values():
            with psycopg.connect(dsn, autocommit=True) as conn:
                conn.execute("DROP OWNED BY two_guard")
        with psycopg.connect(dsns["MAIN"], autocommit=True) as conn:
            conn.execute("DROP ROLE two_guard")
