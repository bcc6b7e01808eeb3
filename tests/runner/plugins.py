"""Small checks for the tests of the spine, most of them bad guests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pgvigil.catalog import Catalog
from pgvigil.check import (
    Check,
    Context,
    Discovery,
    Examined,
    Finding,
    Outcome,
    Params,
    Severity,
    Subject,
    Verdict,
)

if TYPE_CHECKING:
    from pgvigil.run import Run
    from pgvigil.runner import Runner

CLEAN = Examined()
ONE = Subject("one")
EMPTY = Catalog(server_version=180000, database="test", in_recovery=False, tables=(), foreign_keys=())


def finding(
    code: str = "fault", count: int = 1, severity: Severity = Severity.WARNING, **more: Any
) -> Finding:
    return Finding(code=code, severity=severity, title="A fault", count=count, remedy="Mend it.", **more)


def faulty(*findings: Finding) -> Examined:
    return Examined(findings=findings or (finding(),))


class Plugin(Check[Params]):
    """A check that does what the test says."""

    name = "plugin"

    def __init__(
        self,
        run: Callable[[Context, Subject], Any] = lambda _context, _subject: CLEAN,
        subjects: Iterable[str | Subject] = ("one",),
        *,
        discover: Callable[[Catalog], Any] | None = None,
        params: Params | None = None,
    ) -> None:
        super().__init__(params or Params())
        self._run = run
        self._discover = discover
        self.subjects = [one if isinstance(one, Subject) else Subject(one) for one in subjects]

    def discover(self, catalog: Catalog) -> Discovery:
        return self._discover(catalog) if self._discover else Discovery(tuple(self.subjects))

    def run(self, context: Context, subject: Subject) -> Verdict:
        verdict: Verdict = self._run(context, subject)
        return verdict


def named(name: str, *arguments: Any, **keywords: Any) -> Plugin:
    """Return a Plugin whose check has another name."""
    plugin: Plugin = type(Plugin.__name__, (Plugin,), {"name": name})(*arguments, **keywords)
    return plugin


def run_of(runner: Runner, check: Plugin, subject: Subject = ONE) -> Run:
    run = runner.run(check, subject, EMPTY)
    assert run is not None
    return run


def still_works(runner: Runner) -> bool:
    """Whether both of the budget's connections are there for others."""
    checks = [Plugin(lambda context, _: faulty(finding(count=context.fetch("SELECT 7 AS n")[0]["n"])))] * 2
    runs = [run_of(runner, check) for check in checks]
    return all(run.outcome is Outcome.FAIL and run.findings[0].count == 7 for run in runs)


def swallowing(query: Any, params: Any = None) -> Callable[[Context, Subject], Examined]:
    def run(context: Context, subject: Subject) -> Examined:
        with contextlib.suppress(Exception):
            context.fetch(query, params)
        return CLEAN

    return run
