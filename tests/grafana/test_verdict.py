"""The answer to "is everything all right?": all clear is said only when it is known."""

from __future__ import annotations

import pytest

from tests.grafana.boards import board, filled_in
from tests.grafana.promtool import evaluated

MINUTES = 60
CHECK = 'target="games", check="orphan_rows"'
ALL_CLEAR, UNKNOWN, WARNINGS, WARNINGS_AND_UNKNOWN, CRITICAL, NOBODY = 0, 1, 10, 11, 100, -1

Series = dict[str, str]


def world(instance: str = "a", **changed: str) -> Series:
    """What one process exposes of a target on which all is well; `changed` replaces values by their names."""
    values = {
        "passed": "5x60",
        "failed": "0x60",
        "unknown": "0x60",
        "critical": "0x60",
        "warning": "0x60",
        "muted": "0x60",
        "suspect": "0x60",
        "up": "1x60",
        "leader": "1x60",
        "interval": "300x60",
        "completed": "0+10x60",
    } | changed
    own = f'job="pgvigil", instance="{instance}"'
    subjects = {
        f'pgvigil_subjects{{{own}, {CHECK}, state="{state}"}}': values[state]
        for state in ("passed", "failed", "unknown")
    }
    incidents = {
        f'pgvigil_incidents{{{own}, {CHECK}, severity="{severity}", state="{state}"}}': values[name]
        for name, severity, state in (
            ("critical", "critical", "open"),
            ("warning", "warning", "acknowledged"),
            ("muted", "critical", "muted"),
            ("suspect", "critical", "suspect"),
        )
    }
    return (
        subjects
        | incidents
        | {
            f'pgvigil_target_up{{{own}, target="games"}}': values["up"],
            f"pgvigil_leader{{{own}}}": values["leader"],
            f"pgvigil_interval_seconds{{{own}, {CHECK}}}": values["interval"],
            f'pgvigil_last_completed_timestamp_seconds{{{own}, {CHECK}, subject="s"}}': values["completed"],
        }
    )


def said(title: str, series: Series, expected: float) -> str:
    """What is wrong when a panel of the overview does not show this value after ten minutes."""
    [panel] = [one for one in board("pgvigil-overview")["panels"] if one["title"] == title]
    return evaluated(filled_in(panel["targets"][0]["expr"]), series, 10 * MINUTES, expected)


@pytest.mark.parametrize(
    ("series", "verdict"),
    [
        pytest.param(world(), ALL_CLEAR, id="all is well"),
        pytest.param(world() | world("b", leader="0x60"), ALL_CLEAR, id="a replica stands by"),
        pytest.param(world(muted="3x60"), ALL_CLEAR, id="muted incidents"),
        pytest.param(world(suspect="3x60"), ALL_CLEAR, id="suspects"),
        pytest.param(world(unknown="1x60"), UNKNOWN, id="a subject is unknown"),
        pytest.param(world(passed="0x60"), UNKNOWN, id="nothing was examined"),
        pytest.param(world(up="0x60"), UNKNOWN, id="the target is down"),
        pytest.param(world(interval="10x60", completed="0x60"), UNKNOWN, id="a result is overdue"),
        pytest.param(world(leader="0x60"), UNKNOWN, id="nobody leads"),
        pytest.param(world(warning="1x60"), WARNINGS, id="an acknowledged warning"),
        pytest.param(world(warning="1x60", unknown="1x60"), WARNINGS_AND_UNKNOWN, id="a warning, and doubt"),
        pytest.param(world(critical="2x60"), CRITICAL, id="critical incidents"),
        pytest.param({}, NOBODY, id="nobody answers"),
        pytest.param(dict.fromkeys(world(), "0x20 stale"), NOBODY, id="it has gone"),
    ],
)  # fmt: skip
def test_the_verdict(series: Series, verdict: float) -> None:
    assert said("Is everything all right?", series, verdict) == ""


def test_replicas_are_not_counted_twice() -> None:
    two = world(critical="2x60", unknown="1x60") | world("b", critical="2x60", unknown="1x60", leader="0x60")
    assert said("Critical", two, 2) == ""
    assert said("Unknown", two, 1) == ""


def test_almost_all_is_not_said_to_be_all() -> None:
    assert said("Known clean", world(passed="99999x60", failed="1x60"), 0.9999) == ""
    assert said("Known clean", world(), 1) == ""
