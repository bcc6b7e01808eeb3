"""A plot of ratios as SVG: a row for each case, a mark for each variant, on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

# Distinct for people who do not see all colours, on white and on dark.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999")
_LEFT, _WIDTH, _RIGHT, _ROW, _TOP, _BOTTOM = 300, 560, 30, 24, 60, 34
_TICKS = (0.001, 0.01, 0.1, 1, 10, 100, 1000)


def plot(title: str, rows: Mapping[str, Mapping[str, float]], variants: Sequence[str]) -> str:
    """Return the SVG of `rows`, the ratios of the variants by case; 1 is what they are compared with."""
    values = [value for row in rows.values() for name, value in row.items() if name in variants and value > 0]
    low = 10 ** math.floor(math.log10(min([*values, 1.0])))
    high = 10 ** math.ceil(math.log10(max([*values, 1.0]) * 1.01))
    height, width = _TOP + _ROW * len(rows) + _BOTTOM, _LEFT + _WIDTH + _RIGHT
    scale = _WIDTH / math.log10(high / low)

    def across(value: float) -> float:
        return _LEFT + math.log10(value / low) * scale

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
            f' font-size="12" role="img" aria-label="{escape(title)}">'
        ),
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
        *_legend(variants),
    ]
    for tick in (one for one in _TICKS if low <= one <= high):
        strong = ' stroke-width="2"' if tick == 1 else ""
        parts.append(
            f'<line x1="{across(tick):.1f}" x2="{across(tick):.1f}" y1="{_TOP - 8}" y2="{height - _BOTTOM}"'
            f' stroke="#cccccc"{strong}/>'
            f'<text x="{across(tick):.1f}" y="{height - 14}" text-anchor="middle">{tick:g}</text>'
        )
    for number, (case, row) in enumerate(rows.items()):
        middle = _TOP + _ROW * number + _ROW / 2
        parts.append(f'<text x="{_LEFT - 10}" y="{middle + 4}" text-anchor="end">{escape(case)}</text>')
        parts += [
            f'<circle cx="{across(row[name]):.1f}" cy="{middle}" r="5" fill="{_COLOURS[place]}"'
            f' fill-opacity="0.85"><title>{escape(name)}: {row[name]:.3g}</title></circle>'
            for place, name in enumerate(variants)
            if name in row
        ]
    return "\n".join([*parts, "</svg>", ""])


def _legend(variants: Sequence[str]) -> Iterator[str]:
    across = 12.0
    for colour, name in zip(_COLOURS, variants, strict=False):
        yield f'<circle cx="{across + 5}" cy="38" r="5" fill="{colour}"/>'
        yield f'<text x="{across + 14}" y="42">{escape(name)}</text>'
        across += 34 + 6.6 * len(name)
