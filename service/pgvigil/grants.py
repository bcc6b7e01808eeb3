"""The SQL of the role that pgvigil connects as: it may read what is watched, and nothing else.

Without a catalog the role may read every table of the cluster; with one, only the tables of that database
that are watched or needed to judge them. The script may be run again: what is there already stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from psycopg import sql

from pgvigil.catalog import (
    Catalog,
    Column,
    Table,
    TableKind,
    TableName,
    parse_relation,
    parse_table,
    quote,
)
from pgvigil.config import one_line
from pgvigil.errors import UsageError

_LONGEST_NAME = 63
_PUBLIC_MAY_NOT_CREATE = 150_000
_ELSEWHERE = re.compile(r"[A-Za-z0-9_.-]+:")
_TYPE_SCHEMA = re.compile(r'(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[^\W\d][\w$]*))\.')


def grants(
    role: str,
    catalog: Catalog | None = None,
    subjects: Iterable[str] = (),
    *,
    logical: bool = False,
    sees_others_for: Iterable[str] = (),
) -> str:
    """Return the script; `subjects` are names of those that checks look at, also outside the watched schemas.

    With `logical` the role may have a replication slot, which `changes: logical` needs. `sees_others_for` are
    the settings for which it must see what sessions of others do, or which timeline a standby follows.
    Raises UsageError when PostgreSQL would not take the name of the role.
    """
    _examine(role)
    name = quote(role)
    parts = [_head(role, catalog), "BEGIN;", _role(role)]
    if catalog is None:
        parts += [_CLUSTER.format(role=name), _CLUSTER_ROW_SECURITY.format(role=name)]
        parts += [_CLUSTER_REPLICATION.format(role=name), _MAY_SEE_OTHERS.format(role=name)]
    else:
        tables = _needed(catalog, subjects)
        parts += [_schemas(name, catalog, tables), _tables(name, tables)]
        parts += [_row_security(name, tables), _future(name, tables)]
        parts += [_REPLICATION.format(role=name) if logical else ""]
        parts += [_others(name, list(sees_others_for))]
    parts.append(_LOGGED.format(role=name))
    if catalog is None or catalog.server_version < _PUBLIC_MAY_NOT_CREATE:
        parts.append(_PUBLIC)
    return "\n\n".join([*filter(None, parts), "COMMIT;"]) + "\n"


def _examine(role: str) -> None:
    if not role or "\0" in role or len(role.encode("utf-8", "replace")) > _LONGEST_NAME:
        raise UsageError(f"the name of a role has 1 to {_LONGEST_NAME} bytes and no NUL")
    if role in ("public", "none") or role.startswith("pg_"):
        raise UsageError(f"{one_line(role)} is a name that PostgreSQL keeps for itself: choose another role")


def _head(role: str, catalog: Catalog | None) -> str:
    where = "each database to be watched" if catalog is None else f"database {one_line(catalog.database)}"
    return f"""\
-- The role that pgvigil connects as. Run this as a superuser in {where}; it may be run again.
-- Give the role a way to log in: \\password {one_line(quote(role))} in psql, a certificate, or peer."""


def _role(role: str) -> str:
    name, literal = quote(role), sql.Literal(role).as_string(None)
    mark = "$pgvigil$"
    while mark in role:
        mark = f"{mark[:-1]}_$"
    return f"""\
DO {mark}
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {literal}) THEN
        CREATE ROLE {name} LOGIN;
    END IF;
    EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO %I', pg_catalog.current_database(), {literal});
END
{mark};

-- A second lock on the door: pgvigil opens read-only transactions anyway, and holds no right to write.
-- Whoever lifts it has what PostgreSQL leaves to everybody, such as temporary tables and large objects.
-- How to close that, too: docs/howto/least-privilege.md
ALTER ROLE {name} SET default_transaction_read_only = on;"""


_CLUSTER = """\
-- Every table of every database; for a role that reads the watched ones alone: pgvigil grants --dsn DSN
GRANT pg_read_all_data TO {role};"""

_CLUSTER_ROW_SECURITY = """\
-- Tables with row-level security show as unknown, never as clean, unless the role may see all their rows:
-- ALTER ROLE {role} BYPASSRLS;"""

_CLUSTER_REPLICATION = """\
-- Only for targets with `changes: logical`. What else that allows: docs/howto/watch-changes.md
-- ALTER ROLE {role} REPLICATION;"""

_REPLICATION = """\
-- For `changes: logical`: the role may have a replication slot, and may copy every row of the cluster by
-- that. If it is too much, leave the line out and set `changes: position`: docs/howto/watch-changes.md
ALTER ROLE {role} REPLICATION;"""

_MAY_SEE_OTHERS = """\
-- Only for `standby`, and for the limits active_sessions, oldest_snapshot and replica_lag of `budget.pause`,
-- which else pause nothing: the role sees what sessions of others do.
-- GRANT pg_read_all_stats TO {role};"""

_LOGGED = """\
-- Only where the server logs statements, or auto_explain does: what is sent beside a query may be megabytes.
-- ALTER ROLE {role} SET log_parameter_max_length = 1024;"""

_PUBLIC = """\
-- Before PostgreSQL 15 everybody may create tables in schema public, this role too:
-- REVOKE CREATE ON SCHEMA public FROM PUBLIC;"""


def _others(role: str, settings: list[str]) -> str:
    """Grant to see the sessions of others where settings need it; else only mention it."""
    if not settings:
        return _MAY_SEE_OTHERS.format(role=role)
    named = ", ".join(f"`{setting}`" for setting in settings)
    return f"""\
-- For {named}: the role sees what sessions of others do, and
-- which timeline a standby follows. Without it these settings are of no use.
GRANT pg_read_all_stats TO {role};"""


def _needed(catalog: Catalog, subjects: Iterable[str]) -> list[Table]:
    """Return the tables that checks read: watched ones, the parents of their keys, and what subjects name.

    A foreign table is read on another server, and so only when a subject names it. Partitions are read
    through their root, whose privileges alone count.
    """
    found = {table.oid: table for table in catalog.watched_tables() if table.kind is not TableKind.FOREIGN}
    found |= {key.parent.oid: key.parent for key in catalog.watched_foreign_keys()}
    found |= {table.oid: table for table in read_by(catalog, subjects)}
    return sorted(found.values(), key=lambda table: (table.schema, table.name))


def read_by(catalog: Catalog, subjects: Iterable[str]) -> list[Table]:
    """Return the tables of this database that subjects name: what a check reads to examine them."""
    found: dict[int, Table] = {}
    declared = {key.subject: (key.child, key.parent) for key in catalog.foreign_keys}
    for subject in subjects:
        named = declared.get(subject) or map(catalog.table, _tables_in(subject))
        found |= {table.oid: table for table in named if table is not None}
    return sorted(found.values(), key=lambda table: (table.schema, table.name))


def _tables_in(subject: str) -> tuple[TableName, ...]:
    """Return the tables in the name of a subject: a relation, an entity pair, or a table and a part of it."""
    with suppress(ValueError):
        relation = parse_relation(subject)
        return relation.child, relation.parent
    for mark in re.finditer(" <> ", subject):
        with suppress(ValueError):
            left, right = parse_table(subject[: mark.start()]), subject[mark.end() :]
            # The right one may live in another target, whose role has grants of its own.
            return (left,) if _ELSEWHERE.match(right) else (left, parse_table(right))
    for end in (len(subject), subject.rfind("/")):
        with suppress(ValueError):
            return (parse_table(subject[:end]),)
    return ()


def _schemas(role: str, catalog: Catalog, tables: list[Table]) -> str:
    """Grant the schemas of the tables, and of the types, collations and operators of their columns."""
    schemas = {table.schema for table in tables}
    for column in (column for table in tables for column in table.columns):
        schemas.update(_schemas_of(column))
    oids = {table.oid for table in tables}
    for key in catalog.foreign_keys:
        if key.child.oid in oids:
            schemas.update(operator.schema for operator in key.operators)
    return _listed("GRANT USAGE ON SCHEMA", map(quote, sorted(schemas - {"pg_catalog"})), f"TO {role};")


def _schemas_of(column: Column) -> Iterator[str]:
    if column.collation:
        yield column.collation[0]
    for type_ in (column.type, column.base_type):
        # Types are written without their schema only when they are pg_catalog's.
        if match := _TYPE_SCHEMA.match(type_):
            yield match["plain"] or match["quoted"].replace('""', '"')


def _tables(role: str, tables: list[Table]) -> str:
    grant = _listed("GRANT SELECT ON", map(str, tables), f"TO {role};")
    if any(table.kind is TableKind.PARTITIONED for table in tables):
        return f"-- Partitions need no grant of their own: they are read through their root.\n{grant}"
    return grant


def _row_security(role: str, tables: list[Table]) -> str:
    guarded = [table for table in tables if table.row_security]
    if not guarded:
        return ""
    names = one_line(", ".join(map(str, guarded)))
    return f"""\
-- Row-level security guards {names}.
-- Without this line they show as unknown, never as clean; with it the role sees all rows of what it may read.
ALTER ROLE {role} BYPASSRLS;"""


def _future(role: str, tables: list[Table]) -> str:
    """Hint at tables that are yet to be made: each owner decides about its own."""
    makers = sorted({(table.owner, table.schema) for table in tables})
    lines = [
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {quote(owner)} IN SCHEMA {quote(schema)}"
        f" GRANT SELECT ON TABLES TO {role};"
        for owner, schema in makers
    ]
    if not lines:
        return ""
    hint = (
        "-- Tables that are made later show as unknown until they are granted too. To have it done for you:"
    )
    return "\n".join([hint, *(f"-- {one_line(line)}" for line in lines)])


def _listed(before: str, names: Iterable[str], after: str) -> str:
    listed = ",\n    ".join(names)
    return f"{before}\n    {listed}\n{after}" if listed else ""
