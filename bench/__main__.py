"""`make bench`, or `make bench ARGS=orphans` for one of them."""

from __future__ import annotations

import sys

from bench import drift, orphans, ready, scrape, start

BENCHMARKS = {
    "orphans": orphans.run,
    "drift": drift.run,
    "scrape": scrape.run,
    "start": start.run,
    "ready": ready.run,
}


def main() -> None:
    """Run the benchmarks that are named, or all."""
    chosen = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    for name in chosen:
        print(BENCHMARKS[name](), flush=True)


if __name__ == "__main__":
    main()
