"""Counts the faults of the sample with plain SQL, which shares nothing with the package that planted them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.sql import SQL, Composed, Identifier

from pgvigil.catalog import RelationName, TableName, parse_relation

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

# The tables of the sample: neither partitions nor views, nor anything of the server's own.
TABLES = """
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

COMPARED = {
    "title": "l.title IS DISTINCT FROM r.name",
    "subtitle": "l.subtitle IS DISTINCT FROM r.tagline",
    "developer": "l.developer IS DISTINCT FROM r.developed_by",
    "release_date": "l.release_date IS DISTINCT FROM r.released_on",
    "list_price": "l.list_price IS DISTINCT FROM r.price",
    "quality_score": "abs(l.quality_score::numeric - r.quality_score::numeric) > 0.01",
    "platforms": "l.platforms IS DISTINCT FROM r.platforms",
    "attributes": "l.attributes IS DISTINCT FROM r.metadata",
    "updated_at": "l.updated_at - r.updated_at NOT BETWEEN interval '-15 min' AND interval '15 min'",
}


def number(connection: psycopg.Connection, query: str | Composed) -> int:
    """The only value of a query."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def orphans_of(connection: psycopg.Connection, relation: str) -> int:
    """Rows of the child with all columns set that no row of the parent has; inheriting tables left out."""
    return number(connection, SQL("SELECT count(*) {}").format(orphans_query(connection, relation)))


def orphans_query(connection: psycopg.Connection, relation: str) -> Composed:
    """`FROM … WHERE …` of the orphans; the child is called c."""
    name = parse_relation(relation)
    return SQL("FROM {} c WHERE {} AND NOT EXISTS (SELECT FROM {} p WHERE {})").format(
        _rows(connection, name.child),
        _each(SQL("c.{} IS NOT NULL").format(Identifier(child)) for child in name.child_columns),
        _rows(connection, name.parent),
        _each(
            SQL("p.{} = c.{}").format(Identifier(parent), Identifier(child))
            for child, parent in zip(name.child_columns, name.parent_columns, strict=True)
        ),
    )


def partial_nulls(connection: psycopg.Connection) -> int:
    """Rows that MATCH FULL forbids although they name no parent."""
    return number(
        connection,
        "SELECT count(*) FROM monitoring.slo_breaches WHERE (service IS NULL) <> (objective IS NULL)",
    )


def declared(connection: psycopg.Connection) -> list[str]:
    """Every foreign key, written as a relation; clones for partitions left out."""
    rows = connection.execute(
        """
        SELECT cn.nspname, c.relname, pn.nspname, p.relname,
               array(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
                     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i),
               array(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, i)
                     JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i)
        FROM pg_constraint k
            JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
            JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
        WHERE k.contype = 'f' AND k.conparentid = 0
        """
    )
    return [
        str(RelationName(TableName(a, b), tuple(e), TableName(c, d), tuple(f))) for a, b, c, d, e, f in rows
    ]


def differing(connection: psycopg.Connection, column: str) -> set[int]:
    """The games that both sides hold with different values in a column, named as on the left."""
    query = f"""
        SELECT igdb_id FROM curated.enhanced_games l JOIN curated.games_complete r USING (igdb_id)
        WHERE {COMPARED[column]}
    """
    return {row[0] for row in connection.execute(query)}


def drift(connection: psycopg.Connection) -> dict[str, int | Mapping[str, int]]:
    """How the game pair differs, counted as the answer key counts it."""
    pair = """
        FROM (SELECT DISTINCT ON (igdb_id) * FROM curated.enhanced_games
              WHERE igdb_id IS NOT NULL ORDER BY igdb_id, id) l
        FULL JOIN (SELECT * FROM curated.games_complete WHERE igdb_id IS NOT NULL) r USING (igdb_id)
    """
    both = f"{pair} WHERE l.id IS NOT NULL AND r.id IS NOT NULL AND"
    by_column = {
        name: number(connection, f"SELECT count(*) {both} {differs}") for name, differs in COMPARED.items()
    }
    return {
        "left_only": number(connection, f"SELECT count(*) {pair} WHERE r.id IS NULL"),
        "right_only": number(connection, f"SELECT count(*) {pair} WHERE l.id IS NULL"),
        "changed": number(connection, f"SELECT count(*) {both} ({' OR '.join(COMPARED.values())})"),
        "changed_by_column": {name: count for name, count in by_column.items() if count},
        "left_duplicates": number(
            connection, "SELECT count(igdb_id) - count(DISTINCT igdb_id) FROM curated.enhanced_games"
        ),
        "left_null_keys": number(
            connection, "SELECT count(*) FROM curated.enhanced_games WHERE igdb_id IS NULL"
        ),
        "right_null_keys": number(
            connection, "SELECT count(*) FROM curated.games_complete WHERE igdb_id IS NULL"
        ),
        "tolerated": number(
            connection,
            f"SELECT count(*) {both} (l.quality_score::numeric <> r.quality_score::numeric "
            f"OR l.updated_at <> r.updated_at) AND NOT ({' OR '.join(COMPARED.values())})",
        ),
    }


def checksum(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    """Every table of the sample with a figure that changes with any row of it."""
    tables = connection.execute(f"{TABLES} ORDER BY n.nspname, c.relname").fetchall()
    figure = "md5(string_agg(t::text, ' ' ORDER BY t::text COLLATE \"C\"))"
    return [
        (schema, name, *connection.execute(SQL(f"SELECT {figure} FROM {{}} t").format(rows)).fetchall())
        for _, schema, name, *_ in tables
        for rows in [_rows(connection, TableName(schema, name))]
    ]


def constraints(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    """All that protects the rows: constraints, their triggers and which of them fire, and valid indexes."""
    return connection.execute(
        """
        WITH ours AS (
            SELECT oid, oid::regclass::text AS name FROM pg_class
            WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
        )
        SELECT name, conname, pg_get_constraintdef(k.oid), convalidated
        FROM pg_constraint k JOIN ours ON ours.oid = conrelid
        UNION ALL
        SELECT name, 'a trigger', tgfoid::regproc::text, tgenabled = 'O'
        FROM pg_trigger JOIN ours ON ours.oid = tgrelid
        UNION ALL
        SELECT name, 'an index', indexrelid::regclass::text, indisvalid
        FROM pg_index JOIN ours ON ours.oid = indrelid
        ORDER BY 1, 2, 3, 4
        """
    ).fetchall()


def _rows(connection: psycopg.Connection, table: TableName) -> Composed:
    """The rows of a table itself: with its partitions, without its inheritance children."""
    partitioned = connection.execute(
        "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)", [str(table)]
    ).fetchone()
    assert partitioned is not None
    return SQL("{} {}").format(SQL("" if partitioned[0] else "ONLY"), Identifier(table.schema, table.name))


def _each(conditions: object) -> Composed:
    return SQL(" AND ").join(conditions)
