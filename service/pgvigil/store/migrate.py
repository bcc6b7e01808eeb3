"""Bring the tables of a store up to what this version needs."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, inspect, text

from pgvigil.errors import StoreError
from pgvigil.store.database import Database
from pgvigil.store.schema import REVISION

# Any constant will do; it keeps two processes that open one PostgreSQL store from migrating at once.
_LOCK = 0x7067766967696C

# What can hold any character: names of tables, keys and errors come from databases of every encoding.
_ENCODINGS = ("UTF8", "SQL_ASCII")


def migrate(database: Database) -> None:
    """Run the migrations that are missing, in one transaction.

    Raises StoreError on a newer schema, and on a database whose encoding lacks characters: it would refuse
    what is to be recorded of them, or take one name for another.
    """
    with database.reading() as connection:
        if not database.is_sqlite:
            _refuse_encoding(connection, database.label)
        if _revision(connection) == REVISION:
            return
    # Read before the transaction, which may not pause for long: on a busy machine this takes seconds.
    upgrade = _migrations(database.label)
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = _revision(connection)
        if found != REVISION:
            upgrade(connection, found)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _refuse_encoding(connection: Connection, label: str) -> None:
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding not in _ENCODINGS:
        raise StoreError(
            f"state store {label}: its database has the encoding {encoding}, which lacks characters that "
            "are to be kept; make it with TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        )


def _migrations(label: str) -> Callable[[Connection, str | None], None]:
    """Read the migrations; return what brings a store from the revision found to the newest."""
    # Loaded only when there is work: it costs a tenth of a second at every start.
    from alembic import command  # noqa: PLC0415 - only when there is work for it
    from alembic.config import Config  # noqa: PLC0415 - only when there is work for it
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - only when there is work for it

    config = Config()
    config.set_main_option("script_location", "pgvigil.store:migrations")
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}

    def upgrade(connection: Connection, found: str | None) -> None:
        if found is not None and found not in known:
            raise StoreError(
                f"state store {label}: its schema {found!r} is newer than this version of pgvigil knows; "
                "upgrade pgvigil or use another store"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    return upgrade
