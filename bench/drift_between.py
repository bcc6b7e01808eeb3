"""Drift between two databases, as other tools compare them and as table_drift does."""

from __future__ import annotations

from bench.databases import by_hand, database, examiner
from bench.measure import Measured, Work, measure
from bench.others import comparing
from bench.results import keep
from bench.shapes import short
from bench.strategies import CHUNK_SECONDS
from bench.twelve import COLUMNS, KEY, check, differing, expecting, hash_of, setup
from pgvigil_checks.across import moving


def run(rows: int) -> Measured:
    """Compare tables of two databases, on a server each, as the daemon does but for its rests.

    pgvigil looks again at what differs after half a second and two, in case it was only on its way; it is
    measured with and without that.
    """
    across = check(right_target="other"), "public.a <> other:public.b"
    same = check(right="public.a", right_target="other"), "public.a <> other:public.a"
    with (
        database(setup(rows)) as here,
        database(setup(rows)) as there,
        # Where nobody writes, not even for the other variants.
        database(setup(rows)) as idle_here,
        database(setup(rows)) as idle_there,
        by_hand(here) as ask_here,
        by_hand(there) as ask_there,
        examiner(here, *across, other=there, chunk_seconds=CHUNK_SECONDS) as ours,
        examiner(here, *same, other=there, chunk_seconds=CHUNK_SECONDS) as equal,
        examiner(idle_here, *same, other=idle_there, chunk_seconds=CHUNK_SECONDS) as idle,
        comparing(here, KEY, list(COLUMNS), there) as others,
    ):
        wanted = differing(rows)

        def at_once() -> int:
            waits, moving.WAITS = moving.WAITS, (0.0,)
            try:
                return ours.anew()
            finally:
                moving.WAITS = waits

        def written() -> int:
            ask_there("SELECT pg_current_xact_id()")
            return equal.again()

        variants: dict[str, Work] = {
            "hash both sides": lambda: (ask_here(hash_of("a")), ask_there(hash_of("b"))),
            "table_drift": expecting(wanted, ours.anew),
            "table_drift without a second look": expecting(wanted, at_once),
            "table_drift of equal tables": expecting(0, equal.anew),
            "table_drift of equal tables, one server written to since": expecting(0, written),
            "table_drift of equal tables, nothing written since": expecting(0, idle.again),
            **{name: expecting(wanted, compare) for name, compare in others.items()},
        }
        measured = measure(
            f"drift of tables of {short(rows)} rows in two databases; as a ratio to hashing both once",
            variants,
            rounds=3,
            patience=60.0,
        )
        version = ask_here("SHOW server_version")[0][0]
    keep("drift-between", {"server_version": version, **measured.kept()}, size=short(rows))
    return measured
