"""`make eval-inference`: measures what inference finds on the half of the schemas that may be looked at.

`--final` takes the other half as well, and writes the table into the docs. Nothing else ever looks at it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from evaluation import fit, misses, report
from evaluation.databases import Databases, server
from evaluation.judging import SAMPLING, WAYS
from evaluation.results import Result, evaluate
from evaluation.sample import evaluate_sample
from evaluation.sources import SOURCES, Source, held_back, tuned_on
from evaluation.workshop import NotMadeError


def main() -> None:
    """Evaluate the schemas that are named, or all of the half that may be looked at."""
    options = _options()
    sources = _chosen(options)
    with server() as (running, bindir):
        databases = Databases(running, bindir)
        if options.prepare:
            _prepare(databases, sources)
            return
        if options.fit:
            print(
                "\n".join(fit.lines([one for source in sources for one in fit.examples(databases, source)]))
            )
            return
        results, left_out = _evaluated(databases, sources, options)
        print("\n".join(report.summary(results)))
        if options.final:
            halves = {
                report.TUNED_ON: [one for one in results if one.source in tuned_on()],
                report.HELD_BACK: [one for one in results if one.source in held_back()],
            }
            print(report.write(halves, evaluate_sample(databases), left_out))


def _evaluated(
    databases: Databases, sources: Sequence[Source], options: argparse.Namespace
) -> tuple[list[Result], dict[str, str]]:
    """Return the results, and why which schemas have none."""
    results: list[Result] = []
    left_out: dict[str, str] = {}
    for source in sources:
        try:
            result = evaluate(databases, source, tuple(options.way or WAYS), unindexed=options.unindexed)
        except NotMadeError as error:
            left_out[source.name] = str(error)
            print(f"{source.name}: left out: {error}", file=sys.stderr, flush=True)
            continue
        results.append(result)
        for line in _told(result, with_misses=options.misses):
            print(line, flush=True)
    return results, left_out


def _told(result: Result, *, with_misses: bool) -> Iterator[str]:
    for judged in result.judged:
        lines = misses.lines(judged)
        yield next(lines)
        # Errors of names alone that more evidence settles are no news.
        if with_misses and judged.way in (result.judged[0].way, SAMPLING):
            yield from lines


def _prepare(databases: Databases, sources: Sequence[Source]) -> None:
    """Make and fill schemas without looking at what is proposed."""
    for source in sources:
        try:
            filled = databases.filled(source).filled
        except NotMadeError as error:
            print(f"{source.name}: left out: {error}", flush=True)
            continue
        empty = f"; empty: {', '.join(filled.empty)}" if filled.empty else ""
        print(f"{source.name}: {filled.tables} tables, {filled.rows:,} rows{empty}", flush=True)


def _chosen(options: argparse.Namespace) -> Sequence[Source]:
    allowed = SOURCES if options.final or options.prepare else tuned_on()
    by_name = {source.name: source for source in SOURCES}
    for name in options.only:
        if name not in by_name:
            sys.exit(f"no schema {name}; there are {', '.join(by_name)}")
        if by_name[name] not in allowed:
            sys.exit(f"{name} is held back for the final look: nothing may be tuned on it")
    return [source for source in allowed if not options.only or source.name in options.only]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only this schema")
    parser.add_argument(
        "--misses", action="store_true", help="list what is wrong and what is missed, and why"
    )
    parser.add_argument("--way", action="append", choices=WAYS, help="only this way")
    parser.add_argument(
        "--unindexed", action="store_true", help="sample also without the indexes that only keys need"
    )
    parser.add_argument("--prepare", action="store_true", help="make and fill the schemas, and judge nothing")
    parser.add_argument("--fit", action="store_true", help="print the weights that would fit best")
    parser.add_argument(
        "--final",
        action="store_true",
        help=f"take {', '.join(one.name for one in held_back())} as well, and write the docs",
    )
    options = parser.parse_args()
    looked = options.only or options.misses or options.way or options.fit
    if options.final and looked:
        parser.error("the final look is at everything at once, and at no single errors")
    return options


if __name__ == "__main__":
    main()
