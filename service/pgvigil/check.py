"""The plugin contract: all that a check needs, and all that it may see.

A check is a subclass of `Check` in any installed distribution, announced through the entry point group
`pgvigil.checks`. It finds its subjects in a catalog (`discover`) and looks at one of them at a time (`run`),
reaching the database only through its `Context`, so that it cannot leave the safe session: read-only, one
snapshot, bounded by the target's budget.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, ClassVar, Generic, LiteralString, Protocol, TypeAlias, TypeVar

from psycopg import sql
from pydantic import ConfigDict, Field

from pgvigil.catalog import Catalog
from pgvigil.patterns import matches
from pgvigil.timing import CronField, Interval, Scheduled

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""What findings may hold: plain JSON."""

Query: TypeAlias = "LiteralString | sql.SQL | sql.Composed"
"""A query; identifiers and literals of others are composed into it with `psycopg.sql`."""

Row: TypeAlias = dict[str, Any]
"""One row by column name. Values are None, bool, int, float, str or lists of these; every other type comes
as the text that PostgreSQL writes for it (so that `infinity`, BC dates and huge numerics survive)."""


class Severity(StrEnum):
    """How bad a finding is, by the conventions of alerting: page, ticket, note."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Higher is worse."""
        return {"critical": 3, "warning": 2, "info": 1}[self.value]


class Outcome(StrEnum):
    """How a run ended. Only `pass` and `fail` say anything about the data; the others leave it unknown."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    TIMEOUT = "timeout"
    SKIPPED = "skipped"

    @property
    def completed(self) -> bool:
        """Whether the subject was examined to its end."""
        return self in (Outcome.PASS, Outcome.FAIL)


@dataclass(frozen=True, slots=True)
class Subject:
    """The one thing a check looks at.

    `name` is written as the contract says and is unique within a check and target. `payload` is the check's
    own. `confirm` is how many failing runs in a row open an incident: 1 for what a single snapshot proves,
    2 for what may be in flight between transactions. `unexaminable` is the reason why this subject is known
    but can't be looked at (a foreign table, say): it is reported as unknown, never as clean.
    """

    name: str
    payload: Any = None
    confirm: int = 1
    unexaminable: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A setting that does not fit the catalog: a relation that names no existing column, say.

    `path` leads to the setting inside the check's own section, such as `("relations", 0)`. `subject` is
    what the setting would have been about; it counts as unknown.
    """

    path: tuple[str | int, ...]
    message: str
    subject: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a check found to look at in one catalog."""

    subjects: tuple[Subject, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault seen by a run.

    `code` names the kind of fault (`orphans`, `not_valid`): together with check and subject it identifies
    the fault over runs, so it must not depend on counts or row values. `count` is exact. `sample` holds at
    most the budget's number of keys, in key order. `evidence_sql` is a query that shows the fault in psql.
    """

    code: str
    severity: Severity
    title: str
    count: int
    remedy: str
    evidence_sql: str = ""
    sample: tuple[Mapping[str, JsonValue], ...] = ()
    details: Mapping[str, JsonValue] = field(default_factory=dict)


def fingerprint(check: str, subject: str, code: str) -> str:
    """Name one fault of one subject, the same over runs, restarts and versions (16 hex digits)."""
    text = "\x1f".join(("pgvigil.v1", check, subject, code))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The subject was examined to its end; no findings means that it is clean.

    `strategy` names the method that was used; `rows_examined` counts the rows that were judged. `measures`
    are figures that metrics show whether or not there is a finding, such as the drift of a pair by kind.
    """

    findings: tuple[Finding, ...] = ()
    rows_examined: int = 0
    strategy: str = ""
    measures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """The subject could not be judged, for a reason that is no fault of the server; it counts as unknown."""

    reason: str


Verdict: TypeAlias = Examined | Skipped


class Context(Protocol):
    """A check's only door to the target: one subject, one read-only snapshot, one budget."""

    @property
    def catalog(self) -> Catalog:
        """The catalog in which the subject was discovered."""
        ...

    @property
    def sample(self) -> int:
        """How many sample keys a finding may hold at the most."""
        ...

    def fetch(self, query: Query, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows of a query, in the run's snapshot.

        Raises a `pgvigil.errors.TargetError`; a check lets it through: the run becomes `error` or `timeout`.
        """
        ...

    def pause(self) -> None:
        """Offer the governor a moment to hold the run, between two queries of a long one."""
        ...


class Params(Scheduled):
    """Base of every check's settings; what is here is understood for every check by pgvigil itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=False)

    enabled: bool = Field(default=True, description="Whether the check runs at all on this target.")
    every: Interval | None = Field(
        default=None,
        description="Interval of this check, such as `30s`, `5m`, `1h`; the target's when absent.",
    )
    cron: CronField | None = Field(
        default=None, description="Schedule of this check in cron's five fields, in UTC, instead of `every`."
    )
    severity: dict[str, Severity] = Field(
        default_factory=dict,
        description="Severity of faults by subject pattern, the first that matches; notes stay notes: "
        "`{'monitoring.*': warning}`. "
        "`*` stands for any text, `?` for one character, all else for itself.",
    )
    confirm: int | None = Field(
        default=None,
        ge=1,
        description="Failing runs in a row that open an incident; the check's own choice when absent.",
    )

    def severity_of(self, subject: str, default: Severity) -> Severity:
        """Return the severity that the settings give to a subject, or `default`."""
        for pattern, severity in self.severity.items():
            if matches(subject, pattern):
                return severity
        return default


P = TypeVar("P", bound=Params)

DOC_SECTIONS = ("Proves", "Cost", "False positives", "Remedy")
"""The sections that every check's docstring must have; each starts a line with `Name: text`."""


@dataclass(frozen=True, slots=True)
class Description:
    """A check's docstring, taken apart: what it proves, costs and can get wrong, and how to remedy."""

    summary: str
    proves: str
    cost: str
    false_positives: str
    remedy: str


class Check(ABC, Generic[P]):
    """One kind of fault: where it can be (`discover`) and whether it is there (`run`).

    A subclass sets `name` (snake_case, unique over all installed distributions) and `params_type`, and has a
    docstring with a summary line and the sections of `DOC_SECTIONS`. Instances are bound to one target's
    settings, hold no other state, and may run on several threads at once.
    """

    name: ClassVar[str]
    params_type: ClassVar[type[Params]] = Params

    def __init__(self, params: P) -> None:
        self.params = params

    @abstractmethod
    def discover(self, catalog: Catalog) -> Discovery:
        """Return every subject of this check in the catalog; pure, no database access."""

    @abstractmethod
    def run(self, context: Context, subject: Subject) -> Verdict:
        """Look at one subject, in the context's snapshot."""


def describe(check: type[Check[Any]]) -> Description:
    """Take a check's docstring apart; raises ValueError that names what is missing."""
    # cleandoc(__doc__), not getdoc: a subclass without a docstring must not inherit this base's.
    doc = inspect.cleandoc(check.__doc__ or "")
    pattern = rf"^({'|'.join(DOC_SECTIONS)}):[ \n]"
    pieces = re.split(pattern, doc, flags=re.MULTILINE)
    sections = {name: " ".join(text.split()) for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}
    summary = pieces[0].strip().split("\n\n")[0].replace("\n", " ")
    missing = [name for name in DOC_SECTIONS if not sections.get(name)]
    if not summary or missing:
        raise ValueError(f"docstring lacks {', '.join(missing) or 'a summary'}")
    return Description(
        summary, sections["Proves"], sections["Cost"], sections["False positives"], sections["Remedy"]
    )


@cache
def load_sql(package: str, name: str) -> sql.SQL:
    """Return the query in the file `name` of an importable package, as a template for `.format()`.

    The header comment is left out: it is for readers. Curly braces of the query itself are doubled.
    """
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    lines = text.splitlines()
    while lines and (not lines[0].strip() or lines[0].startswith("--")):
        lines.pop(0)
    return sql.SQL("\n".join(lines).rstrip().rstrip(";"))
