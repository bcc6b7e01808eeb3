"""Makes each schema once, keeps it as a dump, and restores it: filled, and without its foreign keys."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from evaluation.fill import Filled, fill
from evaluation.sources import Source
from evaluation.workshop import NotMadeError, Workshop, cache
from pgvigil.catalog import Catalog, read_catalog
from pgvigil.embedded import Server, installations, serve

_SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "autovacuum": "off",
    # Hundreds of tables are restored in one transaction.
    "max_locks_per_transaction": "2048",
}
_GENERATOR = Path(__file__).parent / "fill"


@contextmanager
def server() -> Iterator[tuple[Server, Path]]:
    """Yield a server with contrib, which some schemas need, and the folder of its programs."""
    found = next((one for one in installations() if one.source == "system"), None)
    if found is None:
        raise SystemExit("the evaluation needs a PostgreSQL of the system with contrib and pg_dump")
    with serve(bindir=found.bindir, settings=_SETTINGS) as running:
        yield running, found.bindir


@dataclass(frozen=True, slots=True)
class Filling:
    """A schema's database with rows and all of its keys, and what was filled."""

    dsn: str
    filled: Filled


class Databases:
    """The schemas' databases on one server."""

    def __init__(self, running: Server, bindir: Path) -> None:
        self._server = running
        self._bindir = bindir

    def filled(self, source: Source) -> Filling:
        """Restore a schema with its rows; make and fill it first if need be. Raises NotMadeError."""
        folder = cache() / source.name
        folder.mkdir(parents=True, exist_ok=True)
        dump = folder / f"filled-{_generation()}.dump"
        notes = dump.with_suffix(".json")
        dsn = self.create(source.name)
        if notes.exists():
            self._restore(dump, dsn)
            _execute(dsn, "ANALYZE")
            filled = json.loads(notes.read_text(encoding="utf-8"))
            return Filling(dsn, Filled(**(filled | {"empty": tuple(filled["empty"])})))
        self._make(source, folder, dsn)
        filled = fill(dsn, source.name)
        self._dump(dsn, dump)
        notes.write_text(json.dumps(asdict(filled)), encoding="utf-8")
        return Filling(dsn, filled)

    def without_keys(self, source: Source, catalog: Catalog, *, indexes: bool = True) -> str:
        """Return the DSN of a copy that lacks all foreign keys; `indexes` False: and the indexes for them."""
        name = f"{source.name}-{'bare' if indexes else 'unindexed'}"
        dsn = self.create(name, template=source.name)
        with psycopg.connect(dsn, autocommit=True) as connection:
            for key in catalog.foreign_keys:
                connection.execute(
                    SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                        Identifier(key.child.schema, key.child.name), Identifier(key.name)
                    )
                )
            for schema, index in [] if indexes else _indexes_of_keys(catalog):
                connection.execute(SQL("DROP INDEX {}").format(Identifier(schema, index)))
        return dsn

    def _make(self, source: Source, folder: Path, dsn: str) -> None:
        """Restore the empty schema, or let its application make it and keep what it made."""
        dump = folder / "made.dump"
        if dump.exists():
            self._restore(dump, dsn)
            return
        source.make(Workshop(folder, dsn, self._bindir))
        self._dump(dsn, dump)

    def create(self, name: str, template: str = "template0") -> str:
        """Create a database anew; return its DSN."""
        with psycopg.connect(self._server.dsn(), autocommit=True) as connection:
            connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
            connection.execute(
                SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
            )
        return self._server.dsn(name)

    def _dump(self, dsn: str, file: Path) -> None:
        """Write a dump under another name first: what is cut short is no dump."""
        unfinished = file.with_suffix(".part")
        self._program("pg_dump", "--format=custom", f"--file={unfinished}", f"--dbname={dsn}")
        unfinished.rename(file)

    def _restore(self, file: Path, dsn: str) -> None:
        self._program("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={dsn}", str(file))

    def _program(self, name: str, *arguments: str) -> None:
        answer = subprocess.run(
            [str(self._bindir / name), *arguments], capture_output=True, text=True, check=False
        )
        if answer.returncode != 0:
            raise NotMadeError(f"{name} failed: {answer.stderr.strip().splitlines()[-1]}")


def catalog_of(dsn: str) -> Catalog:
    """Read the catalog of a database."""
    with psycopg.connect(dsn, row_factory=dict_row, options="-c search_path=pg_catalog") as connection:
        return read_catalog(lambda query: connection.execute(query).fetchall())


def _generation() -> str:
    """Return what changes whenever the generator of rows does."""
    code = b"".join(file.read_bytes() for file in sorted(_GENERATOR.glob("*.[ps][yq]*")))
    return hashlib.sha256(code).hexdigest()[:12]


def _indexes_of_keys(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield the indexes that begin with a key's columns and enforce nothing."""
    for table in catalog.tables:
        referring = {key.child_columns[0] for key in catalog.foreign_keys if key.child.oid == table.oid}
        for index in () if table.is_partition else table.indexes:
            if not index.unique and index.columns[0] in referring:
                yield table.schema, index.name


def _execute(dsn: str, command: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(command.encode())
