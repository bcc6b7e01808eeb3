"""A report in the formats of `pgvigil check`: text for people, JSON and JUnit for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pgvigil.check import Finding, JsonValue, Outcome, Severity, fingerprint
from pgvigil.cli.output import counted, visible
from pgvigil.errors import PgvigilError
from pgvigil.once import NOT_REACHED, Report
from pgvigil.run import Run

VERSION = 1
_STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_SAMPLE_LINES = 5


def to_json(report: Report) -> str:
    """Write the contract's one object."""
    return json.dumps(
        {
            "version": VERSION,
            "target": report.target,
            "database": report.database,
            "server_version": report.server_version,
            "started_at": _instant(report.started_at),
            "finished_at": _instant(report.finished_at),
            "coverage": report.coverage(),
            "runs": [_run(run) for run in report.runs],
            "findings": [_finding(run, finding) for run, finding in report.findings],
            **({"error": report.interrupted} if report.interrupted else {}),
        },
        indent=2,
        ensure_ascii=False,
    )


def failure_to_json(target: str, error: PgvigilError) -> str:
    """Write the same object for a sweep that could not even begin: nothing known, and why."""
    now = _instant(datetime.now(UTC))
    return json.dumps(
        {
            "version": VERSION,
            "target": target,
            "database": None,
            "server_version": None,
            "started_at": now,
            "finished_at": now,
            "coverage": {"known": 0, "passed": 0, "failed": 0, "unknown": 0},
            "runs": [],
            "findings": [],
            "error": str(error),
        },
        indent=2,
        ensure_ascii=False,
    )


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _run(run: Run) -> dict[str, Any]:
    return {
        "check": run.check,
        "subject": run.subject,
        "outcome": run.outcome.value,
        "rows_examined": run.rows_examined,
        "duration_seconds": round(run.duration_seconds, 6),
        "strategy": run.strategy,
        "explain": run.explain,
        "error": run.error,
    }


def _finding(run: Run, finding: Finding) -> dict[str, Any]:
    return {
        "check": run.check,
        "subject": run.subject,
        "code": finding.code,
        "severity": finding.severity.value,
        "title": finding.title,
        "count": finding.count,
        "sample": [dict(row) for row in finding.sample],
        "evidence_sql": finding.evidence_sql,
        "remedy": finding.remedy,
        "fingerprint": fingerprint(run.check, run.subject, finding.code),
        "details": dict(finding.details),
    }


def to_junit(report: Report, fail_on: Severity = Severity.WARNING, *, explain: bool = False) -> str:
    """Write a test suite a check, a test case a subject.

    A case has a failure for each finding of at least `fail_on`, so that it agrees with the exit status, and
    an error when its subject is unknown; with `explain` also how it was examined, as what it printed.
    """
    suites = ET.Element("testsuites", name=f"pgvigil {report.target}")
    for check in dict.fromkeys(run.check for run in report.runs):
        runs = [run for run in report.runs if run.check == check]
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=f"pgvigil.{check}",
            tests=str(len(runs)),
            failures=str(sum(bool(_failures(run, fail_on)) for run in runs)),
            errors=str(sum(not run.outcome.completed for run in runs)),
            time=f"{sum(run.duration_seconds for run in runs):.3f}",
            timestamp=_instant(report.started_at),
        )
        for run in runs:
            case = _case(suite, run, fail_on)
            if explain and run.outcome.completed:
                ET.SubElement(case, "system-out").text = _xml_safe(_how(run))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode")


def failure_to_junit(target: str, error: PgvigilError) -> str:
    """Write the suites for a sweep that could not even begin: one test case, in error."""
    suites = ET.Element("testsuites", name=f"pgvigil {target}")
    suite = ET.SubElement(suites, "testsuite", name="pgvigil", tests="1", failures="0", errors="1")
    case = ET.SubElement(suite, "testcase", classname="pgvigil", name=_xml_safe(target))
    ET.SubElement(case, "error", type="error", message=_xml_safe(str(error)))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode")


def _failures(run: Run, fail_on: Severity) -> list[Finding]:
    if not run.outcome.completed:
        return []
    return [finding for finding in run.findings if finding.severity.rank >= fail_on.rank]


def _how(run: Run) -> str:
    """Say how a subject was examined, and why so."""
    one_way = f"{run.strategy or run.check}: the check has one way only, there is nothing to choose"
    if not run.explain or run.explain.startswith("read on the "):
        return "\n".join(filter(None, (one_way, run.explain)))
    return run.explain


def _case(suite: ET.Element, run: Run, fail_on: Severity) -> ET.Element:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"pgvigil.{run.check}",
        name=_xml_safe(run.subject),
        time=f"{run.duration_seconds:.3f}",
    )
    if not run.outcome.completed:
        ET.SubElement(
            case, "error", type=run.outcome.value, message=_xml_safe(run.error or run.outcome.value)
        )
    for finding in _failures(run, fail_on):
        failure = ET.SubElement(
            case, "failure", type=f"{finding.severity}.{finding.code}", message=_xml_safe(finding.title)
        )
        failure.text = _xml_safe(f"{finding.remedy}\n\n{finding.evidence_sql}")
    return case


def _xml_safe(text: str) -> str:
    """Replace what XML 1.0 cannot carry; identifiers may hold any character."""
    return "".join(
        char if char in "\t\n" or (char >= " " and char not in "\ufffe\uffff") else "\ufffd" for char in text
    )


def print_text(report: Report, console: Console, *, evidence: bool = False, explain: bool = False) -> None:
    """Print findings worst first, then what could not be examined, then the coverage.

    `evidence` adds to each finding the SQL that shows it, `explain` how each subject was examined and why so.
    """
    where = f" · database {visible(report.database)} · PostgreSQL {report.server_version}\n"
    console.print(Text.assemble((report.target, "bold"), where))
    for run, finding in report.findings:
        _print_finding(run, finding, console, evidence=evidence)
    for run in report.runs:
        # Of an interrupted sweep that would be everything that was yet to come: the coverage counts it.
        if not run.outcome.completed and run.error != NOT_REACHED:
            console.print(_head("unknown", "magenta", run))
            console.print(Text(f"  {run.outcome}: {visible(run.error or '')}\n"))
    if explain:
        _print_explanations(report, console)
    console.print(_coverage(report))
    console.print(_summary(report))


def _print_finding(run: Run, finding: Finding, console: Console, *, evidence: bool) -> None:
    console.print(_head(finding.severity, _STYLES[finding.severity], run))
    console.print(Text(f"  {visible(finding.title)}"))
    for row in finding.sample[:_SAMPLE_LINES]:
        console.print(Text(f"    {_inline(row)}", style="dim"))
    if len(finding.sample) > _SAMPLE_LINES:
        console.print(Text("    …", style="dim"))
    for line in finding.remedy.splitlines():
        # What is indented is to be pasted as it is.
        console.print(Text(f"  {'  ' if line.startswith(' ') else '→ '}{visible(line)}"))
    for line in finding.evidence_sql.splitlines() if evidence else ():
        console.print(Text(f"  | {visible(line)}", style="dim"))
    console.print()


def _print_explanations(report: Report, console: Console) -> None:
    """Print how each subject was examined: the slowest come first."""
    for run in sorted(report.runs, key=lambda run: -run.duration_seconds):
        if run.outcome.completed:
            console.print(_head("explain", "cyan", run))
            first, *more = _how(run).splitlines()
            console.print(Text(f"  {run.duration_seconds:.3f} s  {visible(first)}"))
            for line in more:
                console.print(Text(f"    {visible(line)}"))
    console.print()


def _head(word: str, style: str, run: Run) -> Text:
    return Text.assemble((f"{word:<8} ", style), f"{run.check}  ", (visible(run.subject), "bold"))


def _inline(row: Mapping[str, JsonValue]) -> str:
    return "  ".join(
        visible(f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
        for name, value in row.items()
    )


def _coverage(report: Report) -> Padding:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("check")
    for name in ("known", "passed", "failed", "unknown"):
        table.add_column(name, justify="right")
    for check in report.checks:
        table.add_row(check, *_counts(run for run in report.runs if run.check == check))
    return Padding(table, (0, 0, 1, 0))


def _counts(runs: Iterable[Run]) -> list[Text]:
    outcomes = [run.outcome for run in runs]
    passed, failed = outcomes.count(Outcome.PASS), outcomes.count(Outcome.FAIL)
    unknown = len(outcomes) - passed - failed
    return [
        Text(str(len(outcomes))),
        Text(str(passed), style="green" if passed else ""),
        Text(str(failed), style="bold red" if failed else ""),
        Text(str(unknown), style="magenta" if unknown else ""),
    ]


def _summary(report: Report) -> Text:
    severities = [finding.severity for _, finding in report.findings]
    rows = sum(run.rows_examined for run in report.runs)
    seconds = (report.finished_at - report.started_at).total_seconds()
    parts = [f"{severities.count(one)} {one}" for one in Severity if one in severities]
    unknown = report.coverage()["unknown"]
    if parts:
        verdict = Text(f"{counted(len(severities), 'finding')}: {', '.join(parts)}", style="bold")
    elif not report.runs:
        verdict = Text("nothing to examine", style="bold magenta")
    elif unknown:
        verdict = Text("no findings", style="bold")
    else:
        verdict = Text("all clean", style="bold green")
    if unknown:
        verdict.append(f" · {unknown} could not be examined", style="magenta")
    if report.interrupted:
        verdict.append(f" · {report.interrupted}", style="bold magenta")
    return verdict.append(
        f" · {counted(len(report.runs), 'run')}, {counted(rows, 'row')} examined, {seconds:.1f} s",
        style="not bold",
    )
