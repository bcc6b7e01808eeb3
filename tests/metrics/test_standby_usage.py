"""What the metrics say of a standby."""

from __future__ import annotations

import pytest

from pgvigil.metrics.usage import usage_metrics
from pgvigil.usage import StandbyUsage, Usage
from pgvigil.watch import Reads
from tests.schedule.test_scheduler import MINUTE, HandClock


@pytest.mark.parametrize(("usable", "lags"), [(True, [0.25]), (False, []), (None, [])])
def test_a_standby_that_cannot_be_read_has_no_lag(usable: bool | None, lags: list[float]) -> None:
    usage = Usage(2, 0.2, 0.0, 0, standby=StandbyUsage(usable, 0.25, {}))
    families = {family.name: family for family in usage_metrics({"shop": usage})}
    told = [sample.value for sample in families["pgvigil_target_standby_lag_seconds"].samples]
    assert told == lags


def test_how_long_it_was_not_read_goes_from_the_first_try_in_vain_to_the_last() -> None:
    clock = HandClock()
    reads = Reads(clock)
    told: list[float | None] = [reads.unread_seconds]
    for in_vain in (True, True, True, False, False, True):
        reads.tried(in_vain=in_vain)
        told.append(reads.unread_seconds)
        # Time in which nobody tries says nothing.
        clock.pass_(MINUTE)
        assert reads.unread_seconds == told[-1]
    assert told == [None, 0.0, 60.0, 120.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(("seconds", "samples"), [(None, []), (0.0, [0.0]), (900.0, [900.0])])
def test_before_the_first_try_nothing_is_told(seconds: float | None, samples: list[float]) -> None:
    usage = Usage(2, 0.2, 0.0, 0, standby=StandbyUsage(None, None, {}, unread_seconds=seconds))
    families = {family.name: family for family in usage_metrics({"shop": usage})}
    unread = families["pgvigil_target_standby_unread_seconds"].samples
    assert [sample.value for sample in unread] == samples
