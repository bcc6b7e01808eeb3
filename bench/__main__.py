"""`make bench`, or `make bench ARGS=orphans` for one of them.

The long ones run only when they are named: `python -m bench soak --minutes 60`.
"""

from __future__ import annotations

import argparse
from functools import partial

from bench import drift, orphans, ready, scrape, soak, start

BENCHMARKS = {
    "orphans": orphans.run,
    "drift": drift.run,
    "scrape": scrape.run,
    "start": start.run,
    "ready": ready.run,
}


def main() -> None:
    """Run the benchmarks that are named, or all small ones."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long the soak lasts")
    long = {"soak": soak.run}
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join([*BENCHMARKS, *long])}")
    options = parser.parse_args()
    known = {**BENCHMARKS, "soak": partial(soak.run, options.minutes)}
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"no benchmark {unknown[0]}; there are {', '.join(known)}")
    for name in options.names or BENCHMARKS:
        print(known[name](), flush=True)


if __name__ == "__main__":
    main()
