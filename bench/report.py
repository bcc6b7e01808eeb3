"""Writes what was measured last into docs/explanation/performance.md, between its markers, with plots."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import guest
from bench.goal import Reached
from bench.plot import plot
from bench.results import last
from bench.strategies import BY_HAND, CHUNKED, FLOOR, FORCED, INDEX_FLOOR, OURS, OURS_AGAIN

_DOCS = Path(__file__).parents[1] / "docs"
_PAGE = _DOCS / "explanation" / "performance.md"
_IMAGES = _DOCS / "images"
_COLUMNS = (*BY_HAND, FORCED, INDEX_FLOOR, OURS, OURS_AGAIN, CHUNKED)

Result = Mapping[str, Any]


def run() -> str:
    """Write every section of which there is a result; return which."""
    page, written = _PAGE.read_text(encoding="utf-8"), []
    for name, write in _SECTIONS.items():
        file = last(name)
        if file is None:
            continue
        text = "\n".join(write(json.loads(file.read_text(encoding="utf-8"))))
        before, marker, rest = page.partition(f"<!-- bench {name} -->\n")
        if marker:
            page = f"{before}{marker}{text}\n<!-- end -->{rest.partition('<!-- end -->')[2]}"
            written.append(name)
    _PAGE.write_text(page, encoding="utf-8")
    return f"{_PAGE.name}: {', '.join(written)}"


def _goals(result: Result) -> Iterator[str]:
    yield f"`python -m bench goals --full`, {_where(result, result)}; with `--only PART` one part alone."
    yield ""
    yield "| part | | figure | goal | |"
    yield "|---|---|---|---|---|"
    for row in result["rows"]:
        part = row["command"].split("--only ")[1].split(" ")[0]
        yield f"| `{part}` {_reached(row)}"


def _audit(result: Result) -> Iterator[str]:
    yield f"`python -m bench audit`, {_where(result, result)}; the median of its rounds."
    yield ""
    yield "| | figure | goal | |"
    yield "|---|---|---|---|"
    yield from map(_reached, result["rows"])


def _reached(row: Result) -> str:
    reached = Reached(*(row[name] for name in ("goal", "figure", "limit", "at_least", "unit")))
    verdict = "" if reached.limit is None else reached.verdict
    return f"| {reached.goal} | {reached.reached} | {reached.wanted} | {verdict} |"


def _orphans(kind: str) -> Callable[[Result], Iterator[str]]:
    def write(result: Result) -> Iterator[str]:
        shapes: Sequence[Result] = result["shapes"]
        rows = {shape["shape"]: _ratios(shape) for shape in shapes}
        yield f"`python -m bench orphans{' --full' if kind == 'full' else ''}`, {_where(result, shapes[0])}."
        yield ""
        yield f"| | {' | '.join(_COLUMNS)} |"
        yield "|---" * (len(_COLUMNS) + 1) + "|"
        for shape in shapes:
            cells = (_cell(rows[shape["shape"]], shape["cut"], name) for name in _COLUMNS)
            yield f"| {shape['shape']} | {' | '.join(cells)} |"
        file = _IMAGES / f"performance-orphans-{kind}.svg"
        title = f"Orphans, {kind} size: as a ratio to a {FLOOR}"
        file.write_text(plot(title, rows, (*BY_HAND, OURS, CHUNKED)), encoding="utf-8")
        yield ""
        yield f"![{title}](../images/{file.name})"
        yield ""
        yield "Each strategy by itself, and what the planner chose in one snapshot and in chunks:"
        yield ""
        yield from _strategies(shapes)

    return write


def _huge(result: Result) -> Iterator[str]:
    shapes: Sequence[Result] = result["shapes"]
    columns = (BY_HAND[0], INDEX_FLOOR, OURS, OURS_AGAIN, CHUNKED)
    yield f"`python -m bench orphans-huge`, {_where(result, shapes[0])}."
    yield ""
    yield f"| | {' | '.join(columns)} | chosen |"
    yield "|---" * (len(columns) + 2) + "|"
    for shape in shapes:
        cells = (_cell(_ratios(shape), shape["cut"], name) for name in columns)
        chosen = ", ".join(strategy for strategy, _ in shape["chosen"].values())
        yield f"| {shape['shape']} | {' | '.join(cells)} | {chosen} |"


def _strategies(shapes: Sequence[Result]) -> Iterator[str]:
    names = [
        name for name in dict.fromkeys(name for one in shapes for name in one["seconds"]) if ": " in name
    ]
    yield f"| | {' | '.join(name.split(': ')[1] for name in names)} | chosen | chosen / best |"
    yield "|---" * (len(names) + 3) + "|"
    for shape in shapes:
        ratios = _ratios(shape)
        cells = (_cell(ratios, shape["cut"], name) for name in names)
        chosen = ", ".join(strategy for strategy, _ in shape["chosen"].values())
        best = min((ratios[name] for name in names if name in ratios), default=ratios[OURS])
        yield f"| {shape['shape']} | {' | '.join(cells)} | {chosen} | {ratios[OURS] / best:.2f} |"


def _list_of(command: str) -> Callable[[Result], Iterator[str]]:
    def write(result: Result) -> Iterator[str]:
        yield f"`python -m bench {command}`: {result['title']}; {_where(result, result)}."
        yield ""
        yield "| | ratio |"
        yield "|---|---|"
        ratios = _ratios(result)
        for name in ratios:
            yield f"| {name} | {_cell(ratios, result['cut'], name)} |"

    return write


def _guest(result: Result) -> Iterator[str]:
    blocks = result["blocks"]
    yield f"`python -m bench guest --minutes {result['minutes']:g}`, {_where(result, result)}; "
    yield f"{len(blocks['alone'])} blocks alone and {len(blocks['beside'])} beside it, in turns."
    yield ""
    head, *rows = guest.table(result)
    yield f"| {' | '.join(head)} |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _checks(result: Result) -> Iterator[str]:
    yield f"`python -m bench checks`, {_where(result, result)}; the best of three."
    yield ""
    yield "| | a second | µs of processor each |"
    yield "|---|---|---|"
    for name, rate in result["a_second"].items():
        yield f"| {name} | {rate:,.0f} | {result['processor_microseconds'][name]:.0f} |"


def _where(result: Result, server: Result) -> str:
    version = server.get("server_version")
    on = f"PostgreSQL {version.split(' ')[0]}, " if version else ""
    return f"{on}{result['cpus']} CPUs, load {result['load'][0]:g} at the end, {result['at'][:10]}"


def _ratios(measured: Result) -> dict[str, float]:
    base = next(iter(measured["seconds"].values()))
    return {name: took / base for name, took in measured["seconds"].items()}


def _cell(ratios: Mapping[str, float], cut: Sequence[str], name: str) -> str:
    if name not in ratios:
        return ""
    ratio = f"{ratios[name]:.2f}" if ratios[name] >= 0.1 else f"{ratios[name]:.4f}"
    return f"> {ratio}" if name in cut else ratio


_SECTIONS: Mapping[str, Callable[[Result], Iterator[str]]] = {
    "goals-full": _goals,
    "orphans-small": _orphans("small"),
    "orphans-full": _orphans("full"),
    "orphans-huge": _huge,
    "drift": _list_of("drift"),
    "drift-between": _list_of("drift-between"),
    "soda": _list_of("soda"),
    "scrape": _list_of("scrape"),
    "checks": _checks,
    "guest": _guest,
    "audit": _audit,
}
