"""Holds what plugins return to the plugin contract: plugins are not all type-checked.

What is sound comes back as a copy of plain values within bounds, so that nothing that a plugin keeps hold of
can change it later and nothing in it can stop the store or a page. Text is mended (a fault must not go
unreported for a character), anything else that is wrong raises BreachError.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from pgvigil.check import (
    Discovery,
    Examined,
    Finding,
    JsonValue,
    Problem,
    Severity,
    Skipped,
    Subject,
    Verdict,
)

_LONGEST_CODE = 200
_LONGEST_NAME = 10_000
_LONGEST_LINE = 1_000
_LONGEST_TEXT = 1_000_000
_MOST_FINDINGS = 1_000
_MOST_VALUES = 100_000
_LARGEST_MEMORY = 1 << 16
_LARGEST_SEEN = 1 << 26
_LARGEST_BATCH = 1_000
_DEEPEST = 20
# What the store's integers hold.
_HIGHEST = 2**63 - 1
# PostgreSQL has neither; stores and terminals refuse them.
_UNPRINTABLE = re.compile("[\0\ud800-\udfff]")


class BreachError(ValueError):
    """A plugin returned what the contract does not allow; the message says what."""


def sound_verdict(verdict: object, sample: int) -> Verdict:
    """Return a plain copy of what `run` returned; `sample` bounds the sample keys of a finding."""
    if isinstance(verdict, Skipped):
        return Skipped(_line(verdict.reason, "the reason of Skipped"))
    if not isinstance(verdict, Examined):
        raise BreachError(f"run returned {_kind(verdict)}, not Examined or Skipped")
    findings = _several(verdict.findings, "findings")
    if len(findings) > _MOST_FINDINGS:
        raise BreachError(f"{len(findings)} findings, more than {_MOST_FINDINGS}")
    sound = tuple(_finding(finding, sample) for finding in findings)
    codes = [finding.code for finding in sound]
    if twice := _twice(codes):
        raise BreachError(f"two findings have the code {twice}")
    return Examined(
        findings=sound,
        rows_examined=_count(verdict.rows_examined, "rows_examined"),
        strategy=_text(verdict.strategy, "strategy", _LONGEST_LINE),
        measures=_measures(verdict.measures),
        explain=_text(verdict.explain, "explain", _LONGEST_LINE),
        memory=_memory(verdict.memory),
        seen=None if verdict.seen is None else _seen(verdict.seen),
        gone=tuple(_named(name) for name in _several(verdict.gone, "gone")),
    )


def sound_discovery(discovery: object) -> Discovery:
    """Return what `discover` returned once it is known to be sound, with plain tuples."""
    if not isinstance(discovery, Discovery):
        raise BreachError(f"discover returned {_kind(discovery)}, not Discovery")
    subjects = tuple(_subject(subject) for subject in _several(discovery.subjects, "subjects"))
    if twice := _twice([subject.name for subject in subjects]):
        raise BreachError(f"subject {twice} found twice")
    problems = tuple(_problem(problem) for problem in _several(discovery.problems, "problems"))
    return Discovery(subjects, problems)


def sound_batches(batches: object, subjects: Sequence[Subject]) -> list[tuple[Subject, ...]]:
    """Return what `batches` returned, once it is known to hold each subject once; none is too large."""
    if not isinstance(batches, Iterable):
        raise BreachError(f"batches returned {_kind(batches)}")
    known = {subject.name: subject for subject in subjects}
    sound: list[tuple[Subject, ...]] = []
    for batch in islice(batches, len(subjects) + 1):
        names = [subject.name for subject in batch]
        if not names or _twice(names) or any(name not in known for name in names):
            raise BreachError("batches returned no subjects, strange ones, or some twice")
        several = [known.pop(name) for name in names]
        sound += (tuple(several[at : at + _LARGEST_BATCH]) for at in range(0, len(several), _LARGEST_BATCH))
    if known:
        raise BreachError(f"batches left out {len(known)} subjects")
    return sound


def _finding(finding: object, sample: int) -> Finding:
    if not isinstance(finding, Finding):
        raise BreachError(f"a finding is {_kind(finding)}")
    code: object = finding.code
    if not isinstance(code, str) or not code.isprintable() or not 0 < len(code) <= _LONGEST_CODE:
        raise BreachError(f"the code of a finding is {_kind(code)}, not a short printable name")
    if not isinstance(finding.severity, Severity):
        raise BreachError(f"finding {code} has no severity of the contract")
    count = _count(finding.count, f"the count of finding {code}")
    if count < 1:
        raise BreachError(f"finding {code} counts nothing")
    keys = _several(finding.sample, f"the sample of finding {code}")
    if len(keys) > sample:
        raise BreachError(f"finding {code} has {len(keys)} sample keys, more than {sample}")
    plain = _Plain(f"finding {code}")
    return Finding(
        code=code,
        severity=finding.severity,
        title=_line(finding.title, f"the title of finding {code}"),
        count=count,
        remedy=_text(finding.remedy, f"the remedy of finding {code}", _LONGEST_TEXT),
        evidence_sql=_text(finding.evidence_sql, f"the evidence of finding {code}", _LONGEST_TEXT),
        sample=tuple(plain.mapping(key) for key in keys),
        details=plain.mapping(finding.details),
    )


def _subject(subject: object) -> Subject:
    if not isinstance(subject, Subject):
        raise BreachError(f"a subject is {_kind(subject)}")
    _name(subject.name)
    if type(subject.confirm) is not int or not 0 < subject.confirm <= _HIGHEST >> 32:
        raise BreachError(f"subject {subject.name} is confirmed by {subject.confirm!r:.50} runs")
    if subject.unexaminable is not None:
        _line(subject.unexaminable, f"the reason why {subject.name} is unexaminable")
    return subject


def _problem(problem: object) -> Problem:
    if not isinstance(problem, Problem):
        raise BreachError(f"a problem is {_kind(problem)}")
    _name(problem.subject)
    _line(problem.message, "the message of a problem")
    return problem


def _named(name: object) -> str:
    _name(name)
    return str(name)


def _name(name: object) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or _UNPRINTABLE.search(name):
        raise BreachError(f"the name of a subject is {_kind(name)}, not a name that PostgreSQL could have")


def _measures(measures: object) -> dict[str, int]:
    if not isinstance(measures, Mapping) or len(measures) > _MOST_FINDINGS:
        raise BreachError("measures is not a small mapping")
    return {
        _line(name, "the name of a measure"): _count(value, "a measure") for name, value in measures.items()
    }


def _memory(memory: object) -> dict[str, JsonValue]:
    # As most have none; it is asked of every run.
    if isinstance(memory, dict) and not memory:
        return {}
    # Nothing of it is cut: what a check made of half a memory would be anybody's guess.
    plain = _Plain("the memory", longest=2 * _LARGEST_MEMORY).mapping(memory)
    size = len(json.dumps(plain))
    if size > _LARGEST_MEMORY:
        raise BreachError(f"the memory takes {size} bytes, more than {_LARGEST_MEMORY}")
    return plain


def _seen(seen: object) -> dict[str, JsonValue]:
    """Copy what may be accepted as a whole: there may be too much of it to look at each value."""
    if not isinstance(seen, Mapping):
        raise BreachError(f"seen is {_kind(seen)}, not a mapping")
    try:
        text = json.dumps(seen, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise BreachError(f"seen is not JSON: {type(error).__name__}") from None
    if len(text) > _LARGEST_SEEN:
        raise BreachError(f"seen takes {len(text)} bytes, more than {_LARGEST_SEEN}")
    copied: dict[str, JsonValue] = json.loads(text)
    return copied


class _Plain:
    """Copies JSON values, of which one finding may hold so many; text is cut at `longest` characters."""

    def __init__(self, where: str, longest: int = _LONGEST_LINE) -> None:
        self._where = where
        self._longest = longest
        self._left = _MOST_VALUES

    def mapping(self, value: object, depth: int = 0) -> dict[str, JsonValue]:
        """Return the copy of an object."""
        if not isinstance(value, Mapping):
            raise BreachError(f"{self._where} holds {_kind(value)} where a mapping belongs")
        return {self._key(key): self._value(item, depth + 1) for key, item in value.items()}

    def _key(self, key: object) -> str:
        return _text(key, f"a key in {self._where}", _LONGEST_LINE)

    def _value(self, value: Any, depth: int) -> JsonValue:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise BreachError(f"{self._where} holds more values, or deeper ones, than anybody reads")
        match value:
            case None | bool() | int():
                return self._number(value)
            case float():
                return value if math.isfinite(value) else _written(value)
            case str():
                return _text(value, "", self._longest)
            case Mapping():
                return self.mapping(value, depth)
            case list() | tuple():
                return [self._value(item, depth + 1) for item in value]
        raise BreachError(f"{self._where} holds {_kind(value)}, which is not JSON")

    def _number(self, value: int | None) -> int | None:
        # Python refuses to write integers of thousands of digits.
        if value is not None and value.bit_length() > 4 * _LONGEST_LINE:
            raise BreachError(f"{self._where} holds an integer of {value.bit_length()} bits")
        return value


def _written(value: float) -> str:
    """Return what JSON has no number for as PostgreSQL writes it."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _count(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value <= _HIGHEST:
        raise BreachError(f"{what} is {_kind(value)}, not a count")
    return value


def _line(value: object, what: str) -> str:
    text = " ".join(_text(value, what, _LONGEST_LINE).split())
    if not text:
        raise BreachError(f"{what} is empty")
    return text


def _text(value: object, what: str, longest: int) -> str:
    if not isinstance(value, str):
        raise BreachError(f"{what} is {_kind(value)}, not text")
    text = value if len(value) <= longest else value[: longest - 1] + "…"
    return _UNPRINTABLE.sub("\ufffd", text)


def _several(value: object, what: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise BreachError(f"{what} is {_kind(value)}, not a tuple")
    return value


def _twice(names: Sequence[str]) -> str | None:
    if len(set(names)) == len(names):
        return None
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _kind(value: object) -> str:
    """Describe a value without repeating it, unless it is a small number: it may be of a row."""
    if type(value) in (int, float, bool) and len(text := repr(value)) < 30:
        return text
    return f"of type {type(value).__name__}" if value is not None else "None"
