"""Metrics: a view of the committed state, and counters of what happened since the start.

A scrape reads memory alone: it waits neither for a target nor for the store. Gauges are made from the view,
so that a series goes with its subject. Labels hold names and words of the contract only, never row values,
SQL or the text of an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, Metric, disable_created_metrics, generate_latest
from prometheus_client.registry import Collector

from pgvigil.clock import Clock, SystemClock
from pgvigil.metrics.counters import MISSED, Counters, Notifications
from pgvigil.metrics.gating import Changes, GateState, Guest
from pgvigil.metrics.gauges import gauges
from pgvigil.metrics.lines import Series, printable
from pgvigil.store import View

__all__ = [
    "CONTENT_TYPE",
    "MISSED",
    "Changes",
    "Counters",
    "Exposition",
    "GateState",
    "Guest",
    "Notifications",
]

CONTENT_TYPE: str = CONTENT_TYPE_PLAIN_0_0_4
"""The content type of an exposition."""


class Exposition:
    """Writes all metrics in Prometheus' text format; safe for several threads.

    It remembers what it wrote: of a view that hardly differs from the one before, hardly anything is written
    anew. `clock` tells whether a mute still holds.
    """

    def __init__(self, counters: Counters, clock: Clock | None = None) -> None:
        self._counters = counters
        self._clock = clock or SystemClock()
        self._series = Series()

    def text(self, view: View) -> bytes:
        """Return the metrics of a view and of the counters."""
        # When a counter began is known from its zero; the switch is the whole process's.
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library leaves it without types
        self._counters.expect(view.checks)
        now = self._clock.now()
        written = self._series.written(view, now)
        summed = chain(gauges(view, written, now, self._counters.health), self._counters.collect())
        return b"".join((generate_latest(_Collected(summed)), *written.pieces))


class _Collected(Collector):
    """Metrics that have been collected, as what prometheus_client writes out."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Yield them, with labels that the format can carry."""
        for metric in self._metrics:
            metric.samples = [sample._replace(labels=_printable(sample.labels)) for sample in metric.samples]
            yield metric


def _printable(labels: dict[str, str]) -> dict[str, str]:
    return {name: printable(value) for name, value in labels.items()}
