"""Whether a target's role may read the tables that settings name, or checks found; and what lets it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from pgvigil.catalog import Catalog, TableName, quote
from pgvigil.check import Row, load_sql
from pgvigil.cli import source
from pgvigil.cli.output import counted
from pgvigil.config import KeyPath
from pgvigil.errors import ConfigError
from pgvigil.grants import read_by
from pgvigil.target import Target
from pgvigil.watch import Watch

_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a table that a setting names may not be read; `partly` where what is read of it may be allowed."""

    error: ConfigError
    partly: bool


def lacks(watch: Watch, reach: Callable[[str], AbstractContextManager[Watch]]) -> list[Lack]:
    """Return what the roles lack to read the tables that a target's settings name, once for each table.

    `reach` opens the watch of another target. Tables that are not there are left out; raises TargetError.
    """
    own, found = watch.target.name, []
    for name, tables in _named(watch).items():
        if name == own:
            rows = _rights(watch.target, list(tables))
        else:
            with reach(name) as other:
                rows = _rights(other.target, list(tables))
        where = "" if name == own else f"target {name}: "
        for row in rows:
            table = TableName(row["schema"], row["name"])
            if lack := _lack(table, row):
                partly = row["usage"] and row["part"] and not row["whole"]
                found.append(Lack(watch.complain(tables[table], f"{where}{lack}"), partly))
    return found


def unread(watch: Watch, catalog: Catalog, subjects: Iterable[str], file: Path) -> Iterator[str]:
    """Yield a line when the role may not read all of what checks found by themselves, of a target of a file.

    Tables that settings name are left out: `lacks` tells of them. Raises TargetError.
    """
    told = _named(watch).get(watch.target.name, {})
    found = [TableName(one.schema, one.name) for one in read_by(catalog, subjects)]
    rows = [row for row in _rights(watch.target, [one for one in found if one not in told]) if _lacking(row)]
    if rows:
        names = [str(TableName(row["schema"], row["name"])) for row in rows[:_MOST_NAMES]]
        more = ["…"] if len(rows) > _MOST_NAMES else []
        options = source.options(file, None, watch.target.name)
        yield (
            f"{watch.target.name}: the role {rows[0]['role']} may not read all of "
            f"{counted(len(rows), 'table')} that checks read ({', '.join([*names, *more])}): what needs more "
            f"is unknown, until an administrator runs the SQL of `pgvigil grants {options} "
            f"--role {shlex.quote(rows[0]['account'])}`"
        )


def _lacking(row: Row) -> bool:
    return row["guarded"] or not (row["usage"] and row["whole"])


def _named(watch: Watch) -> dict[str, dict[TableName, KeyPath]]:
    """Return by target the tables that settings name, with the first setting that does."""
    named: dict[str, dict[TableName, KeyPath]] = {}
    for check, one in watch.checks.items():
        here = [(watch.target.name, each.table, each.path) for each in one.params.named()]
        there = [(each.target, each.table, each.path) for each in one.params.elsewhere()]
        for target, table, path in (*here, *there):
            named.setdefault(target, {}).setdefault(table, ("checks", check, *path))
    return named


def _rights(target: Target, named: list[TableName]) -> list[Row]:
    query = load_sql("pgvigil.cli", "rights.sql").format(
        schemas=sql.Literal([one.schema for one in named]), names=sql.Literal([one.name for one in named])
    )
    with target.snapshot("config") as snapshot:
        return snapshot.fetch(query)


def _lack(table: TableName, row: Row) -> str:
    """Say what the role may not do with a table, and what mends it; empty when it may read all of it."""
    role = row["role"]
    if grants := "; ".join(_grants(table, row)):
        may = "may read only some columns of" if row["usage"] and row["part"] else "may not read"
        return f"the role {role} {may} {table}: {grants}"
    if row["guarded"]:
        hides = f"row-level security hides rows of {table} from the role {role}"
        return f"{hides}: ALTER ROLE {role} BYPASSRLS"
    return ""


def _grants(table: TableName, row: Row) -> Iterator[str]:
    if not row["usage"]:
        yield f"GRANT USAGE ON SCHEMA {quote(table.schema)} TO {row['role']}"
    if not row["whole"]:
        yield f"GRANT SELECT ON {table} TO {row['role']}"
