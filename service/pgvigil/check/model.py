"""What a check looks at and what it says of it: subjects, runs' outcomes, findings, verdicts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, LiteralString, TypeAlias

from psycopg import sql

from pgvigil.catalog import CatalogObject, Table

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""What findings may hold: plain JSON."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A query whose `$1`, `$2`, … are sent beside it, as bytea: megabytes that nobody has to parse."""

    text: sql.SQL | sql.Composed
    values: tuple[bytes, ...]


Query: TypeAlias = "LiteralString | sql.SQL | sql.Composed | Bound"
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
        # Compared as text: looking a member up by its class takes longer, and this is asked of every run.
        return self in ("pass", "fail")


@dataclass(frozen=True, slots=True)
class Subject:
    """The one thing a check looks at.

    `name` is written as the contract says and is unique within a check and target. `payload` is the check's
    own. `confirm` is how many failing runs in a row open an incident: 1 for what a single snapshot proves,
    2 for what may be in flight between transactions. `unexaminable` is the reason why this subject is known
    but can't be looked at (a foreign table, say): it is reported as unknown, never as clean. `reads` are the
    tables whose rows and definitions alone decide the verdict, so that it stands for as long as nothing is
    written; None where more takes part (a view, the time of day, a function): then it is always looked at.
    `walks` are the tables of which a scan that was broken off goes on nevertheless, while they are the same.
    `rows`, in the place of `reads`, are those whose rows are read beside what functions say of them: a
    standby of the target tells that as well as its primary. `objects` are the tables and constraints that it
    is about: while these are the same it keeps its history under another name, and when they are gone, that
    is why it is.
    """

    name: str
    payload: Any = None
    confirm: int = 1
    unexaminable: str | None = None
    reads: tuple[Table, ...] | None = None
    walks: tuple[Table, ...] = ()
    rows: tuple[Table, ...] = ()
    objects: tuple[CatalogObject, ...] = ()


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

    `strategy` names the method that was used, `explain` says in a few lines why this one; `rows_examined`
    counts the rows that were judged. `measures` are figures that metrics show whether or not there is a
    finding, such as the drift of a pair by kind. `memory` is what the next run of this subject wants to know:
    how long this one took, say. It is kept in the state store, a few kilobytes at the most. `seen` is what
    of the subject a person may accept as right, for later runs to compare with; it is kept as well, some
    megabytes at the most. `gone` are those of `Context.accepted_subjects` that this subject tells the end of:
    whoever accepts it takes them out. What is `seen` has to tell of them as well.
    """

    findings: tuple[Finding, ...] = ()
    rows_examined: int = 0
    strategy: str = ""
    measures: Mapping[str, int] = field(default_factory=dict)
    explain: str = ""
    memory: Mapping[str, JsonValue] = field(default_factory=dict)
    seen: Mapping[str, JsonValue] | None = None
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """The subject could not be judged, for a reason that is no fault of the server; it counts as unknown."""

    reason: str


Verdict: TypeAlias = Examined | Skipped
