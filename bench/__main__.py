"""`make bench`, or `make bench ARGS=orphans` for one of them.

The long ones run only when they are named: `python -m bench soak --minutes 60`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from bench import detection, drift, orphans, ready, scrape, scrape_live, soak, start

BENCHMARKS: dict[str, Callable[[], object]] = {
    "orphans": orphans.run,
    "drift": drift.run,
    "scrape": scrape.run,
    "start": start.run,
    "ready": ready.run,
}
LONG: dict[str, Callable[[], object]] = {
    "detection": detection.run,
    "scrape-live": scrape_live.run,
    "soak": partial(soak.run, 60.0),
}


def main() -> None:
    """Run the benchmarks that are named, or all small ones."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long the soak lasts")
    names = ", ".join([*BENCHMARKS, *LONG])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {names}; the small ones if absent")
    options = parser.parse_args()
    known: dict[str, Callable[[], object]] = {
        **BENCHMARKS,
        **LONG,
        "soak": partial(soak.run, options.minutes),
    }
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"no benchmark {unknown[0]}; there are {', '.join(known)}")
    for name in options.names or BENCHMARKS:
        print(known[name](), flush=True)


if __name__ == "__main__":
    main()
