"""What every built-in check must have; this fails when a step of adding one was left out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from pgvigil.check import Check, Outcome, Params, describe
from pgvigil_checks import CHECKS
from tests.runner.plugins import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checks.case import Case

every_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.name))


def cases(check: type[Check[Any]]) -> tuple[Case, ...]:
    found: tuple[Case, ...] = import_module(f"tests.checks.cases.{check.name}").CASES
    return found


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield a settings model and those of the sections within it."""
    yield model
    for field in model.model_fields.values():
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from models(part)


@every_check
def test_it_says_what_it_proves_costs_and_gets_wrong(check: type[Check[Any]]) -> None:
    described = describe(check)
    assert not described.summary.startswith("The check")


@every_check
def test_no_paragraph_of_it_is_a_wall_of_text(check: type[Check[Any]]) -> None:
    described = describe(check)
    lines = "\n".join((described.proves, described.cost, described.false_positives, described.remedy))
    assert max(map(len, lines.splitlines())) < 800


def test_paragraphs_and_lists_of_a_docstring_stay_what_they_are() -> None:
    class Told(Plugin):
        """Tells.

        Proves: first
            line.

            - An item
              in two lines.
            - Another - one.

            The end.
        Cost: none.
        False positives: none.
        Remedy: none.
        """

    assert describe(Told).proves == "first line.\n\n- An item in two lines.\n- Another - one.\n\nThe end."


@every_check
def test_its_name_is_its_module(check: type[Check[Any]]) -> None:
    assert check.__module__ == f"pgvigil_checks.{check.name}"


@every_check
def test_every_setting_is_described(check: type[Check[Any]]) -> None:
    assert issubclass(check.params_type, Params)
    for model in models(check.params_type):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


@every_check
def test_it_has_defaults_for_every_setting(check: type[Check[Any]]) -> None:
    assert check(check.params_type()).params.enabled


@every_check
def test_it_has_a_case_that_passes(check: type[Check[Any]]) -> None:
    outcomes = {expected.outcomes for case in cases(check) for expected in case.expected.values()}
    assert (Outcome.PASS,) in outcomes


@every_check
def test_it_has_a_case_that_fails_with_exact_keys(check: type[Check[Any]]) -> None:
    found = [
        found
        for case in cases(check)
        for expected in case.expected.values()
        if expected.outcomes == (Outcome.FAIL,)
        for found in expected.findings.values()
    ]
    assert any(one.sample for one in found)


@every_check
def test_its_cases_are_told_apart(check: type[Check[Any]]) -> None:
    titles = [case.title for case in cases(check)]
    assert len(set(titles)) == len(titles)


def test_names_are_unique() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
