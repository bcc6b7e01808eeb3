"""A check as a plugin: its settings, its two methods, its docstring, its SQL files."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, ClassVar, Generic, TypeVar

from psycopg import sql
from pydantic import ConfigDict, Field

from pgvigil.catalog import Catalog
from pgvigil.check.context import Context
from pgvigil.check.model import Discovery, Severity, Subject, Verdict
from pgvigil.patterns import matches
from pgvigil.timing import CronField, Interval, Scheduled


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
