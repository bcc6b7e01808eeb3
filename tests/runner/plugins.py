"""Small checks for the tests of the spine, most of them bad guests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pgvigil.catalog import Catalog
from pgvigil.check import (
    Check,
    Context,
    Discovery,
    Examined,
    Finding,
    Params,
    Severity,
    Subject,
    Verdict,
)

CLEAN = Examined()
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
