"""Settings that are allowed, each by itself, and together do not what their author means.

They stop nobody: pgvigil works with them, and says what it makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pgvigil.check import Check
from pgvigil.config import Budget, Config, KeyPath, TargetSettings, read_dsn
from pgvigil.errors import ConfigError
from pgvigil.timing import Cron, format_duration
from pgvigil.window import Window

# Results of which nobody heard for three intervals and this long are told as old.
_SLACK = timedelta(minutes=5)
# Less may be over before the WAL that a busy primary has just written was sent, written down and replayed.
_LEAST_LAG = timedelta(seconds=1)

Doubt = tuple[KeyPath, str]


def doubts(config: Config, checks: Mapping[str, Mapping[str, Check[Any]]]) -> list[ConfigError]:
    """Return what is doubtful about a configuration, in the order of the file; `checks` are its targets'."""
    found = [
        config.error_at(("targets", name, *path), message)
        for name, settings in config.targets.items()
        for path, message in (
            *_of_budget(settings.budget),
            *_of_times(settings, checks[name]),
            *_of_standby(settings),
        )
    ]
    return sorted(found, key=lambda error: error.line or 0)


def _of_budget(budget: Budget) -> Iterator[Doubt]:
    if budget.chunk is not None and budget.chunk >= budget.statement_timeout:
        yield (
            ("budget", "chunk"),
            (
                f"a chunk of {format_duration(budget.chunk)} is cut off by the statement_timeout of "
                f"{format_duration(budget.statement_timeout)}: make it a tenth of that, or less"
            ),
        )
    window, longest = budget.window, budget.pause.longest
    if window is not None and longest >= timedelta(days=1) - window.gap:
        yield (
            ("budget", "pause", "longest"),
            f"a pause of {format_duration(longest)} may take the whole window {window}: make it shorter",
        )


def _of_times(settings: TargetSettings, checks: Mapping[str, Check[Any]]) -> Iterator[Doubt]:
    window, longest = settings.budget.window, settings.budget.pause.longest
    schedules = {name: check.params.schedule or settings.schedule for name, check in checks.items()}
    intervals = [one for one in schedules.values() if not isinstance(one, Cron)]
    shortest = min(intervals, default=None)
    if window is None and shortest is not None and longest > 3 * shortest + _SLACK:
        yield (
            ("budget", "pause", "longest"),
            (
                f"a pause of {format_duration(longest)} is longer than results every "
                f"{format_duration(shortest)} may be old "
                f"({format_duration(3 * shortest + _SLACK)}): each one would page; make it shorter"
            ),
        )
    never: dict[KeyPath, str] = {}
    for name, check in checks.items():
        schedule = schedules[name]
        if window is not None and isinstance(schedule, Cron) and not _ever_within(window, schedule):
            path: KeyPath = ("checks", name, "cron") if check.params.schedule else ("cron",)
            never[path] = (
                f"no time of {str(schedule)!r} is within the window {window}: ticks wait until it begins"
            )
    yield from never.items()


def _of_standby(settings: TargetSettings) -> Iterator[Doubt]:
    standby = settings.standby
    if standby is None:
        return
    if standby.max_lag < _LEAST_LAG:
        yield (
            ("standby", "max_lag"),
            (
                f"{format_duration(standby.max_lag)} is hardly time to replay what was just written: while "
                "the primary is busy its standby is not read; make it 1s or more"
            ),
        )
    if _place(standby.dsn.get_secret_value()) == _place(settings.dsn.get_secret_value()):
        yield (
            ("standby", "dsn"),
            "leads where the target's own dsn leads: to the primary, which is no standby of itself",
        )


def _place(dsn: str) -> dict[str, Any]:
    """Return all that a DSN says of where it leads, whoever logs in there."""
    return {name: value for name, value in read_dsn(dsn).items() if name not in ("user", "password")}


def _ever_within(window: Window, cron: Cron) -> bool:
    day = datetime(2000, 1, 1, tzinfo=UTC)
    return any(
        window.holds(day + timedelta(hours=hour, minutes=minute))
        for hour in cron.hours
        for minute in cron.minutes
    )
