"""Writes what was measured into docs/explanation/inference-evaluation.md, between its markers."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from evaluation.judging import NAMES, SAMPLING, STATISTICS, Judged
from evaluation.results import UNINDEXED, Result
from evaluation.scores import SURE, Score, calibration, macro, micro, score
from pgvigil.inference import as_figure

TUNED_ON, HELD_BACK = "Tuned on", "Held back"

_ROOT = Path(__file__).parents[1]
_PAGE = _ROOT / "docs" / "explanation" / "inference-evaluation.md"
_BEGIN, _END = "<!-- evaluation -->\n", "<!-- end -->"
_TITLES = {
    NAMES: "names only",
    STATISTICS: "with statistics",
    SAMPLING: "with sampling",
    UNINDEXED: "unindexed",
}
_GOALS = ((SAMPLING, 0.93), (STATISTICS, 0.87))
_SURE_GOAL = 0.97
_WORST = 5
"""So many of the wrong proposals of a schema are listed."""


def summary(results: Sequence[Result]) -> Iterator[str]:
    """Yield what came of all schemas, a line for each way."""
    for way in [one.way for one in results[0].judged] if results else []:
        judged = [result.by(way) for result in results]
        scores = [score(one) for one in judged]
        total, mean, sure = micro(scores), macro(scores), _sure(judged)
        yield (
            f"all, {way}: micro precision {total.precision:.3f}, recall {total.recall:.3f}, "
            f"F1 {total.f1:.3f}; macro F1 {mean.f1:.3f}; "
            f"from {SURE} on precision {sure.precision:.3f} of {sure.right + sure.wrong}"
        )


def write(halves: Mapping[str, Sequence[Result]], sample: Result, left_out: Mapping[str, str]) -> str:
    """Write the page's tables: `halves` by their titles, the sample by itself; return the page's name."""
    before, _, rest = _PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    text = "\n".join(_tables(halves, sample, left_out))
    _PAGE.write_text(f"{before}{_BEGIN}{text}\n{_END}{rest.partition(_END)[2]}", encoding="utf-8")
    return str(_PAGE.relative_to(_ROOT))


def _tables(
    halves: Mapping[str, Sequence[Result]], sample: Result, left_out: Mapping[str, str]
) -> Iterator[str]:
    yield f"`make eval-inference ARGS=--final` at commit {_commit()}, {datetime.now(UTC):%Y-%m-%d}."
    yield from ["", *_goals(halves[HELD_BACK])]
    for title, results in halves.items():
        yield from ["", f"### {title}", "", *_scores(results)]
    yield from ["", "### The sample database", "", *_found(sample)]
    for name, why in left_out.items():
        yield from ["", f"**{name} was left out**: {why}"]
    for title, results in halves.items():
        yield from ["", f"### Probabilities: {title.lower()}", "", *_probabilities(results)]
    yield from ["", "### The schemas", "", *_schemas([*(one for half in halves.values() for one in half)])]
    for title, results in halves.items():
        yield from ["", f"### Wrong, as it counts here: {title.lower()}", "", *_wrong(results)]


def _goals(results: Sequence[Result]) -> Iterator[str]:
    yield "| over the schemas held back | goal | reached, micro | reached, macro |"
    yield "|---|---|---|---|"
    for way, goal in _GOALS:
        scores = [score(result.by(way)) for result in results]
        yield f"| F1 with {way} | {goal} | {micro(scores).f1:.3f} | {macro(scores).f1:.3f} |"
    for way in (SAMPLING, STATISTICS):
        all_judged = [result.by(way) for result in results]
        means = macro([score(judged, SURE) for judged in all_judged])
        reached = f"{_of(_sure(all_judged))} | {means.precision:.3f}"
        yield f"| precision from {SURE} on, with {way} | {_SURE_GOAL} | {reached} |"


def _scores(results: Sequence[Result]) -> Iterator[str]:
    ways = [one.way for one in results[0].judged]
    yield f"| schema | keys | {' | '.join(_TITLES[way] for way in ways)} | from 0.9 on |"
    yield "|---" * (len(ways) + 3) + "|"
    for result in results:
        cells = (_cell(score(result.by(way))) for way in ways)
        sure = _of(_sure([result.by(SAMPLING)]))
        yield f"| {result.source.name} | {result.keys} | {' | '.join(cells)} | {sure} |"
    if len(results) > 1:
        by_way = [[score(result.by(way)) for result in results] for way in ways]
        keys, sure = sum(one.keys for one in results), _of(_sure([one.by(SAMPLING) for one in results]))
        yield f"| **micro** | {keys} | {' | '.join(_cell(micro(one)) for one in by_way)} | {sure} |"
        means = (macro(one) for one in by_way)
        cells = (f"{one.precision:.3f} / {one.recall:.3f} / **{one.f1:.3f}**" for one in means)
        yield f"| **macro** | | {' | '.join(cells)} | |"


def _found(sample: Result) -> Iterator[str]:
    """Tell the recall alone: most of what the sample's tables refer to is declared nowhere, on purpose."""
    found = ", ".join(f"{score(one).right} {_TITLES[one.way]}" for one in sample.judged)
    yield f"Of the {sample.keys} relations that it declares or its team configures are proposed: {found}."
    yield "Its tables hold dozens more that nobody wrote down, so that a precision would mean nothing."


def _cell(one: Score) -> str:
    return f"{one.precision:.3f} / {one.recall:.3f} / **{one.f1:.3f}**"


def _of(one: Score) -> str:
    return f"{one.precision:.3f} of {one.right + one.wrong}"


def _sure(all_judged: Sequence[Judged]) -> Score:
    return micro(score(judged, SURE) for judged in all_judged)


def _probabilities(results: Sequence[Result]) -> Iterator[str]:
    yield "| way | said from | proposals | said on average | came true |"
    yield "|---|---|---|---|---|"
    for way in (NAMES, STATISTICS, SAMPLING):
        for one in calibration(result.by(way) for result in results):
            yield f"| {way} | {one.least:g} | {one.proposals} | {one.said:.3f} | {one.true:.3f} |"


def _schemas(results: Sequence[Result]) -> Iterator[str]:
    yield "| schema | what made it | tables | empty | rows | seconds with sampling |"
    yield "|---|---|---|---|---|---|"
    for result in sorted(results, key=lambda one: one.source.name):
        source, filled = result.source, result.filled
        made = f"{source.software}, {source.by}"
        yield (
            f"| {source.name} | {made} | {filled.tables} | {len(filled.empty)} | {filled.rows:,} "
            f"| {result.by(SAMPLING).seconds:.1f} |"
        )


def _wrong(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        judged = result.by(SAMPLING)
        wrong = [one for one in judged.proposals if not judged.right(one)]
        for one in sorted(wrong, key=lambda one: -one.probability)[:_WORST]:
            yield f"- {result.source.name}, {as_figure(one.probability)}: `{one.relation}`"


def _commit() -> str:
    """Name the commit, and say so when what is measured is not the commit's."""
    commit = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--", "evaluation", "service/pgvigil")
    return f"{commit} with changes" if changed else commit


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
