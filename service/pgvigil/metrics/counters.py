"""What happened since the start, and what the process itself is about; safe for several threads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram, Metric

from pgvigil.check import Outcome
from pgvigil.health import Duty, Health
from pgvigil.metrics.gating import GateState, Guest, Looks, gating
from pgvigil.metrics.usage import usage_metrics
from pgvigil.run import Run
from pgvigil.usage import Usage

MISSED = ("overrun", "late", "crashed")
"""Why a tick did not happen: the one before it still ran, pgvigil was too busy or asleep, or it crashed."""

# From a lookup in a small table to a scan at the end of its patience.
_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_CHECK = ("target", "check")

CheckKey = tuple[str, str]


class Counters:
    """Counts what happened since the start.

    Every counter of a check begins at zero as soon as the check is known, so that `rate()` sees the first
    event too.
    """

    def __init__(self) -> None:
        # No registry of the process: two daemons in one process (a test, say) share nothing.
        self._runs = Counter("pgvigil_runs", "Runs by outcome.", (*_CHECK, "outcome"), registry=None)
        self._seconds = Histogram(
            "pgvigil_run_duration_seconds",
            "How long runs took; those of a batch an equal share each.",
            _CHECK,
            buckets=_SECONDS,
            registry=None,
        )
        self._broken_off = Counter(
            "pgvigil_sweeps_broken_off",
            "Sweeps that the end of a window has broken off.",
            _CHECK,
            registry=None,
        )
        self._rows = Counter("pgvigil_rows_examined", "Rows that runs have judged.", _CHECK, registry=None)
        self._spared = Counter(
            "pgvigil_runs_spared",
            "Runs that were not made, as nothing had been written since the last one.",
            _CHECK,
            registry=None,
        )
        self._missed = Counter(
            "pgvigil_ticks_missed", "Ticks that did not happen when due.", (*_CHECK, "reason"), registry=None
        )
        self._store_errors = Counter(
            "pgvigil_store_errors",
            "Times that the state store could not be read or written, one for each result that is lost.",
            registry=None,
        )
        self._leader = Gauge(
            "pgvigil_leader", "1 while this daemon examines and records, 0 while it stands by.", registry=None
        )
        self._reloaded = Gauge(
            "pgvigil_config_last_reload_successful",
            "1 when the configuration in force is the one that was last read.",
            registry=None,
        )
        self._reloaded_at = Gauge(
            "pgvigil_config_last_reload_success_timestamp_seconds",
            "When a configuration was last taken into force.",
            registry=None,
        )
        self.notifications = Notifications()
        self.health = Health()
        self.looks = Looks()
        self._usages: dict[str, Callable[[], Usage]] = {}
        self._gates: dict[str, Callable[[], GateState]] = {}
        self._checks: set[CheckKey] = set()
        self._not_in_force: set[str] = set()

    def observe(self, *runs: Run) -> None:
        """Count runs that ended, however they ended."""
        by_check: dict[CheckKey, list[Run]] = {}
        for run in runs:
            by_check.setdefault((run.target, run.check), []).append(run)
        self.expect(by_check)
        # A series is looked up once for all of its runs: that takes longer than to count.
        for key, some in by_check.items():
            seconds = self._seconds.labels(*key)
            for run in some:
                seconds.observe(run.duration_seconds)
            self._rows.labels(*key).inc(sum(run.rows_examined for run in some))
            outcomes = [run.outcome for run in some]
            for outcome in set(outcomes):
                self._runs.labels(*key, outcome.value).inc(outcomes.count(outcome))
            self.looks.observe(key, some)

    def spared(self, target: str, check: str, subjects: int) -> None:
        """Count subjects whose last result still stands, so that no run was made."""
        self.expect([(target, check)])
        self._spared.labels(target, check).inc(subjects)

    def broken_off(self, target: str, check: str) -> None:
        """Count a sweep that the end of a window has broken off."""
        self.expect([(target, check)])
        self._broken_off.labels(target, check).inc()

    def tick_missed(self, target: str, check: str, reason: str) -> None:
        """Count a tick that did not happen; `reason` is one of MISSED."""
        self.expect([(target, check)])
        self._missed.labels(target, check, reason).inc()

    def store_failed(self, duty: Duty, at: datetime, reason: str, lost: int = 1) -> bool:
        """Count what the state store could not take, and note why; tells whether it is news that it fails."""
        self._store_errors.inc(lost)
        return self.health.failed(duty, at, reason)

    def leads(self, leads: bool) -> None:
        """Note whether this daemon leads."""
        self._leader.set(leads)

    def reloaded(self, file: str, at: datetime) -> None:
        """Note that a configuration was taken into force; `file` names which, as there are several."""
        self._not_in_force.discard(file)
        self._reloaded.set(not self._not_in_force)
        self._reloaded_at.set(at.timestamp())

    def reload_failed(self, file: str) -> None:
        """Note that what was read last of a file is not in force."""
        self._not_in_force.add(file)
        self._reloaded.set(0)

    def watch(self, target: str, usage: Callable[[], Usage]) -> None:
        """Show what is taken from a target; `usage` is asked at every scrape and must not wait."""
        self._usages[target] = usage

    def gate(self, target: str, state: Callable[[], GateState]) -> None:
        """Show what spares runs on a target; `state` is asked at every scrape and must not wait."""
        self._gates[target] = state

    def guest(self, target: str) -> Guest | None:
        """Return how pgvigil behaves on a target now; None where it is not watched. Waits for nobody."""
        state, usage = self._gates.get(target), self._usages.get(target)
        if state is None or usage is None:
            return None
        looks = [at for (name, _), at in self.looks.oldest().items() if name == target]
        taken = usage()
        return Guest(state(), taken.pauses, min(looks, default=None), taken.standby)

    def expect(self, checks: Iterable[CheckKey]) -> None:
        """Let the counters of these checks begin at zero, unless they have begun."""
        for key in checks:
            if key in self._checks:
                continue
            for outcome in Outcome:
                self._runs.labels(*key, outcome.value)
            for reason in MISSED:
                self._missed.labels(*key, reason)
            self._seconds.labels(*key)
            self._rows.labels(*key)
            self._spared.labels(*key)
            self._broken_off.labels(*key)
            self._checks.add(key)

    def keep(self, checks: Collection[CheckKey]) -> None:
        """Forget the counters of all other checks, and of targets that have none of these."""
        for key in self._checks - set(checks):
            labels = dict(zip(_CHECK, key, strict=True))
            for counter in (
                self._runs,
                self._missed,
                self._seconds,
                self._rows,
                self._spared,
                self._broken_off,
            ):
                counter.remove_by_labels(labels)
            self.looks.forget(key)
            self._checks.discard(key)
        for target in self._usages.keys() - {target for target, _ in checks}:
            del self._usages[target]
            self._gates.pop(target, None)

    def collect(self) -> Iterator[Metric]:
        """Yield all counters."""
        for metric in (
            self._runs,
            self._seconds,
            self._rows,
            self._spared,
            self._broken_off,
            self._missed,
            self._store_errors,
            self._leader,
            self._reloaded,
            self._reloaded_at,
        ):
            yield from metric.collect()
        yield from self.notifications.collect()
        yield from gating({target: state() for target, state in list(self._gates.items())}, self.looks)
        yield from usage_metrics({target: usage() for target, usage in list(self._usages.items())})


class Notifications:
    """Counts what the direct notifier sent; each Alertmanager begins at zero when it is known."""

    def __init__(self) -> None:
        label = ("alertmanager",)
        self._accepted = Counter(
            "pgvigil_notifications", "Alerts that an Alertmanager has accepted.", label, registry=None
        )
        self._failed = Counter(
            "pgvigil_notifications_failed", "Requests to an Alertmanager that failed.", label, registry=None
        )
        self._pending = Gauge(
            "pgvigil_notifications_pending",
            "Incidents of which an Alertmanager has not been told the last change.",
            label,
            registry=None,
        )

    def expect(self, alertmanagers: Iterable[str]) -> None:
        """Show these Alertmanagers and no others."""
        names = set(alertmanagers)
        for metric in (self._accepted, self._failed, self._pending):
            for known in {
                sample.labels["alertmanager"] for one in metric.collect() for sample in one.samples
            }:
                if known not in names:
                    metric.remove(known)
            for name in names:
                metric.labels(name)

    def accepted(self, alertmanager: str, alerts: int) -> None:
        """Count alerts that were accepted."""
        self._accepted.labels(alertmanager).inc(alerts)

    def failed(self, alertmanager: str) -> None:
        """Count a request that failed."""
        self._failed.labels(alertmanager).inc()

    def pending(self, alertmanager: str, count: Callable[[], int]) -> None:
        """Ask this from now on how many incidents wait to be told, whenever somebody wants to know."""
        self._pending.labels(alertmanager).set_function(count)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        for metric in (self._accepted, self._failed, self._pending):
            yield from metric.collect()
