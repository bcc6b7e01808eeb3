"""The colours, and the words that go with each: no colour stands alone, and unknown is never green."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models import dashboard as model

CRITICAL = "semi-dark-red"
WARNING = "semi-dark-orange"
UNKNOWN = "semi-dark-purple"
ATTENDED = "semi-dark-blue"
PASSED = "semi-dark-green"
FURTHER = "semi-dark-yellow"
PLAIN = "text"

SEVERITIES = {"critical": CRITICAL, "warning": WARNING, "info": ATTENDED}
COVERAGE = {"passed": PASSED, "failed": CRITICAL, "unknown": UNKNOWN}
STATES = {"open": CRITICAL, "acknowledged": ATTENDED, "muted": PLAIN, "suspect": FURTHER}

# How serious a severity is, so that a table can be sorted by it.
RANKS = {"critical": 3, "warning": 2, "info": 1}


def thresholds(*steps: tuple[float, str]) -> ThresholdsConfig:
    """Colour values from each step on. What is below the first, such as no value at all, is unknown."""
    base = model.Threshold(value=None, color=UNKNOWN)
    rest = [model.Threshold(value=value, color=color) for value, color in steps]
    return ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps([base, *rest])


def none_or(color: str) -> ThresholdsConfig:
    """Colour a count: none is good, more is `color`."""
    return thresholds((0, PASSED), (1, color))


def said(values: Mapping[str, tuple[str, str]]) -> model.ValueMapping:
    """Show each value as a word, in a colour."""
    return model.ValueMap(
        options={
            value: model.ValueMappingResult(text=text, color=color, index=index)
            for index, (value, (text, color)) in enumerate(values.items())
        }
    )


def coloured(words: Mapping[str, str]) -> model.ValueMapping:
    """Show words as they are, each in its colour."""
    return said({word: (word, color) for word, color in words.items()})


def span(low: float, high: float, text: str, color: str) -> model.ValueMapping:
    """Show all values from `low` to `high` as one word."""
    result = model.ValueMappingResult(text=text, color=color)
    return model.RangeMap(options=model.DashboardRangeMapOptions(from_val=low, to=high, result=result))


NOTHING = said({"0": ("none", PASSED)})
RANKED = said({str(rank): (name, SEVERITIES[name]) for name, rank in RANKS.items()})


def palette(colors: Mapping[str, str]) -> Sequence[tuple[str, list[model.DynamicConfigValue]]]:
    """Return the overrides that give series of these names their colours."""
    return [
        (name, [model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})])
        for name, color in colors.items()
    ]
