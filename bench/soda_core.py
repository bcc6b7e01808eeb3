"""Orphans as soda-core looks for them, by its check that values must exist in another table."""

from __future__ import annotations

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from bench.databases import by_hand, database, examiner
from bench.environments import environment, worker
from bench.measure import Work, measure
from bench.results import keep
from bench.shapes import ORPHANS, Shape
from bench.strategies import expect
from pgvigil_checks.orphan_rows import OrphanRows

_SHAPE = Shape(1_000_000, 100_000)
_WORKER = Path(__file__).with_name("soda_worker.py")
_PACKAGES = ("soda-core-postgres==3.5.6", "setuptools<81")
_NOT_EXISTS = "SELECT count(*) FROM child c WHERE NOT EXISTS (SELECT FROM parent p WHERE p.id = c.parent_id)"


def run() -> str:
    """Compare with the query by hand; all of them find the orphans that there are, and show some."""
    python = environment("soda", _PACKAGES)
    if python is None:
        return ""
    check = OrphanRows(OrphanRows.params_type())
    with database(_SHAPE.setup()) as dsn:
        place = conninfo_to_dict(dsn)
        where = [str(place[name]) for name in ("host", "port", "user", "password", "dbname")]
        with (
            by_hand(dsn) as ask,
            examiner(dsn, check, _SHAPE.subject) as ours,
            worker([python, _WORKER, *where]) as scan,
        ):
            variants: dict[str, Work] = {
                "NOT EXISTS": lambda: expect(ORPHANS, lambda: int(ask(_NOT_EXISTS)[0][0])),
                "soda-core": lambda: expect(ORPHANS, scan),
                "orphan_rows": lambda: expect(ORPHANS, ours.anew),
            }
            measured = measure(
                f"{_SHAPE.name}, with orphans of which some are shown; as a ratio to NOT EXISTS", variants
            )
            version = ask("SHOW server_version")[0][0]
    keep("soda", {"server_version": version, **measured.kept()})
    return str(measured)
