"""Two databases, each a target of its own, and `table_drift` between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pgvigil.check import Discovery, State, Subject
from pgvigil.context import Assistance
from pgvigil.peer import Peers
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Limits, Target
from pgvigil_checks.table_drift import TableDrift
from pgvigil_checks.table_drift_settings import TableDriftParams
from tests.databases import fresh_database
from tests.engine.world import watch_of

if TYPE_CHECKING:
    import pytest

    from pgvigil.embedded import Server
    from pgvigil.run import Run
    from pgvigil.watch import Watch

OTHER = "other"


def between(pair: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a pair whose right table lives in the other database."""
    return {**pair, "right_target": OTHER}


def check_of(*pairs: Mapping[str, Any]) -> TableDrift:
    return TableDrift(TableDriftParams.model_validate({"pairs": list(map(between, pairs))}))


@dataclass
class TwoDatabases:
    """The DSNs of two databases, and a run between them whenever it is asked for."""

    left: str
    right: str
    target: Target
    other: Watch
    chunk_seconds: float | None = 0.02
    sample: int = 20
    saved: list[State] = field(default_factory=list)

    def discover(self, check: TableDrift) -> Discovery:
        return check.discover(self.target.read_catalog())

    def compare(self, *pairs: Mapping[str, Any], **assistance: Any) -> Run:
        (run,) = self.runs(check_of(*pairs), **assistance).values()
        return run

    def runs(self, check: TableDrift, **assistance: Any) -> dict[str, Run]:
        """Run the check on all that it finds."""
        catalog = self.target.read_catalog()
        peers = Peers(self.target, {OTHER: self.other}.get)
        runner = Runner(self.target, RunLimits(self.sample, chunk_seconds=self.chunk_seconds))
        assist = Assistance(peer=peers.open, save=lambda state, _: self.saved.append(state))
        discovery = check.discover(catalog)
        assert not discovery.problems
        found: dict[str, Run] = {}
        for subject in discovery.subjects:
            execution = runner.execute(check, subject, catalog, replace(assist, **assistance))
            assert execution is not None, "the run was cancelled"
            found[subject.name] = execution.run
        return found

    def subject(self, *pairs: Mapping[str, Any]) -> Subject:
        (subject,) = self.discover(check_of(*pairs)).subjects
        return subject


@contextmanager
def two_databases(left: Server, right: Server, encoding: str = "") -> Iterator[TwoDatabases]:
    """Make a database on each of two servers, which may be one."""
    with ExitStack() as stack:
        here, there = (
            stack.enter_context(fresh_database(server, encoding=encoding)) for server in (left, right)
        )
        yield stack.enter_context(targets(here, there))


@contextmanager
def targets(left: str, right: str, limits: Limits | None = None) -> Iterator[TwoDatabases]:
    target, other = Target("test", left), watch_of(right, name=OTHER, limits=limits)
    try:
        yield TwoDatabases(left, right, target, other)
    finally:
        target.close()
        other.target.close()


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait for rows that may be on their way."""
    monkeypatch.setattr("pgvigil_checks.across.moving.WAITS", (0.0, 0.0))
