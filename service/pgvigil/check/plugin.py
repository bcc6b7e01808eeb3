"""A check as a plugin: its settings, its two methods, its docstring, its SQL files."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, ClassVar, Generic, TypeVar

from psycopg import sql
from pydantic import ConfigDict, Field

from pgvigil.catalog import Catalog, TableName
from pgvigil.check.batch import Batch
from pgvigil.check.context import Context
from pgvigil.check.model import Discovery, Problem, Severity, Subject, Verdict
from pgvigil.patterns import matches
from pgvigil.timing import CronField, Interval, Scheduled


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A table of another target that settings name; `path` leads to the setting that names the target."""

    path: tuple[str | int, ...]
    target: str
    table: TableName


@dataclass(frozen=True, slots=True)
class Named:
    """A table of the check's own target that settings name; `path` leads to the setting."""

    path: tuple[str | int, ...]
    table: TableName


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

    def named(self) -> tuple[Named, ...]:
        """Return the tables of its own target that the check reads because the settings name them."""
        return ()

    def elsewhere(self) -> tuple[Elsewhere, ...]:
        """Return the tables of other targets that the check reads, as the settings name them."""
        return ()


P = TypeVar("P", bound=Params)

DOC_SECTIONS = ("Proves", "Cost", "False positives", "Remedy")
"""The sections that every check's docstring must have; each starts a line with `Name: text`."""


@dataclass(frozen=True, slots=True)
class Description:
    """A check's docstring, taken apart: what it proves, costs and can get wrong, and how to remedy.

    Paragraphs are lines with an empty one between them; the items of a list are lines that begin with `- `.
    """

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
    needs_store: ClassVar[bool] = False
    """Whether it compares with what the store has kept of earlier runs: a single sweep leaves it out then."""

    def __init__(self, params: P) -> None:
        self.params = params

    @abstractmethod
    def discover(self, catalog: Catalog) -> Discovery:
        """Return every subject of this check in the catalog; pure, no database access."""

    def misfits(
        self,
        # Public names, which plugins override: an underscore before them would be part of the contract.
        catalog: Catalog,  # noqa: ARG002 -- most checks know no other target
        peer: Callable[[str], Catalog],  # noqa: ARG002 -- most checks know no other target
    ) -> tuple[Problem, ...]:
        """Return what of the settings does not fit other targets, whose catalogs `peer` returns by name.

        Asked by `pgvigil config check --connect` alone: a run finds out by itself.
        """
        return ()

    @abstractmethod
    def run(self, context: Context, subject: Subject) -> Verdict:
        """Look at one subject, in the context's snapshot."""

    def batches(self, subjects: Sequence[Subject]) -> Iterable[Sequence[Subject]]:
        """Return which of the subjects are looked at together, by `run_many`; pure, no database access.

        Each is in one batch; those in a batch of their own go to `run`. A batch is one snapshot: it should
        take no longer than a chunk of a scan (0.1 s), or take checkpoints.
        """
        return ((subject,) for subject in subjects)

    def run_many(self, context: Batch, subjects: Sequence[Subject]) -> Mapping[str, Verdict]:
        """Look at several subjects together, in one snapshot, and return their verdicts by name.

        A subject that is missing from the answer is looked at alone. So is one whose query
        fails, and the others are looked at together again; when the check raises, all are looked at alone. So
        nothing has to be caught here.
        """
        return context.side_by_side(self.run, subjects)


def describe(check: type[Check[Any]]) -> Description:
    """Take a check's docstring apart; raises ValueError that names what is missing."""
    # cleandoc(__doc__), not getdoc: a subclass without a docstring must not inherit this base's.
    doc = inspect.cleandoc(check.__doc__ or "")
    pattern = rf"^({'|'.join(DOC_SECTIONS)}):[ \n]"
    pieces = re.split(pattern, doc, flags=re.MULTILINE)
    sections = {name: _unwrapped(text) for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}
    summary = pieces[0].strip().split("\n\n")[0].replace("\n", " ")
    missing = [name for name in DOC_SECTIONS if not sections.get(name)]
    if not summary or missing:
        raise ValueError(f"docstring lacks {', '.join(missing) or 'a summary'}")
    return Description(
        summary, sections["Proves"], sections["Cost"], sections["False positives"], sections["Remedy"]
    )


def _unwrapped(text: str) -> str:
    """Return a text with one line for each of its paragraphs and of the items of its lists."""
    paragraphs = (re.split(r"\n *(?=- )", paragraph) for paragraph in re.split(r"\n\s*\n", text.strip()))
    return "\n\n".join("\n".join(" ".join(line.split()) for line in lines) for lines in paragraphs)


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
