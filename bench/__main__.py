"""`make bench`, or `make bench ARGS=orphans` for one of them; `make bench-full` for those at full size.

The long ones run only when they are named: `python -m bench soak --minutes 60`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from bench import (
    audit,
    checks,
    detection,
    drift,
    drift_between,
    goals,
    guest,
    ready,
    report,
    scrape,
    scrape_live,
    soak,
    soda_core,
    start,
    strategies,
)

Options = argparse.Namespace

BENCHMARKS: dict[str, Callable[[Options], object]] = {
    "goals": lambda options: goals.run(full=options.full, only=options.only),
    "orphans": lambda options: strategies.run("full" if options.full else "small", options.only),
    "orphans-huge": lambda options: strategies.run("huge", options.only),
    "drift": lambda options: drift.run(5_000_000 if options.full else 200_000),
    "drift-between": lambda options: drift_between.run(5_000_000 if options.full else 200_000),
    "soda": lambda _: soda_core.run(),
    "scrape": lambda _: scrape.run(),
    "checks": lambda _: checks.run(),
    "start": lambda _: start.run(),
    "audit": lambda _: audit.run(),
    "ready": lambda _: ready.run(),
    "guest": lambda options: guest.run(options.minutes),
    "detection": lambda _: detection.run(),
    "scrape-live": lambda _: scrape_live.run(),
    "soak": lambda options: soak.run(options.minutes),
    "report": lambda _: report.run(),
}


# The goals take drift, scrape and checks along.
BY_DEFAULT = ("goals", "orphans", "drift-between", "soda", "start", "ready")
BY_DEFAULT_IN_FULL = ("goals",)


def main() -> None:
    """Run the benchmarks that are named, or those of `make bench` and `make bench-full`."""
    names = ", ".join(BENCHMARKS)
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--full", action="store_true", help="ten million rows: 40 minutes, and 20 GB of disk")
    parser.add_argument("--only", default="", help="of goals the parts, of orphans the shapes that hold this")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long guest or soak lasts")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {names}; goals and small ones if absent"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {unknown[0]}; there are {names}")
    for name in options.names or (BY_DEFAULT_IN_FULL if options.full else BY_DEFAULT):
        print(BENCHMARKS[name](options), flush=True)


if __name__ == "__main__":
    main()
