"""The form of a case: a database, the settings of a check, and what the check must say of each subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pgvigil.catalog import Scope
from pgvigil.check import Outcome, Severity

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Found:
    """A finding that must be there. What is given is exact, but `details` may have more than these."""

    count: int
    sample: tuple[Mapping[str, Any], ...] | None = None
    severity: Severity | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    title: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Expected:
    """How a run must end: its findings by code are exactly these; `because` is part of its error."""

    outcomes: tuple[Outcome, ...]
    findings: Mapping[str, Found] = field(default_factory=dict)
    rows: int | None = None
    because: str = ""


def passes(rows: int | None = None, **notes: Found) -> Expected:
    """Expect a clean run, which may have notes, by code."""
    return Expected((Outcome.PASS,), notes, rows)


def fails(rows: int | None = None, **findings: Found) -> Expected:
    """Expect a failing run with these findings, by code."""
    return Expected((Outcome.FAIL,), findings, rows)


def unknown(because: str) -> Expected:
    """Expect a run that says nothing about the data, for a reason that has these words in it."""
    return Expected((Outcome.ERROR, Outcome.TIMEOUT, Outcome.SKIPPED), because=because)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One rule of a check, shown on a database.

    `given` is the SQL that makes the database, run by a superuser. With `afterwards`, SQL as well, what the
    first look saw is what is accepted, and the runs that are judged come after it. `role`, if given, is the
    login role that the check runs as: it exists before `given`, for the time of the case, and needs a name of
    its own among all cases. `expected` names every subject that the check discovers; `problems` has words of
    the message by subject. `server` are markers (`pytest.mark.pg(">= 18")`, `contrib`): the case runs on
    every version that fits, or with `newest_pg` on the newest of them.
    """

    title: str
    given: str
    afterwards: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    scope: Scope = field(default_factory=Scope)
    sample: int = 20
    role: str | None = None
    expected: Mapping[str, Expected]
    problems: Mapping[str, str] = field(default_factory=dict)
    server: tuple[pytest.MarkDecorator, ...] = ()

    def __str__(self) -> str:
        return self.title
