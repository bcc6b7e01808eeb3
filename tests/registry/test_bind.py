"""The checks of a target, bound to its settings; what does not fit leads back to the line."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pgvigil.assembly import build_watch
from pgvigil.check import Params, Problem, Severity
from pgvigil.config import Config, load
from pgvigil.errors import ConfigError, PluginError
from pgvigil.registry import Registry
from tests.registry.announced import announce
from tests.registry.samples import Picky, Plain

if TYPE_CHECKING:
    from pathlib import Path

REGISTRY = Registry.load([announce(Plain, Picky)])


def configured(folder: Path, checks: str) -> Config:
    path = folder / "pgvigil.yaml"
    path.write_text(f"targets:\n  a:\n    dsn: dbname=a\n    checks:\n{checks}")
    return load(path)


def test_without_settings_every_check_is_bound_to_its_defaults() -> None:
    checks = REGISTRY.bind(Config.from_dsn("dbname=a"), "a")
    assert {name: type(check) for name, check in checks.items()} == {"plain": Plain, "picky": Picky}
    assert checks["picky"].params == Picky.params_type()


def test_a_check_is_bound_to_its_section(tmp_path: Path) -> None:
    config = configured(
        tmp_path, "      plain: {severity: {'monitoring.*': info}}\n      picky: {threshold: 7, every: 1h}\n"
    )
    checks = REGISTRY.bind(config, "a")
    assert checks["picky"].params.threshold == 7
    assert checks["picky"].params.schedule == timedelta(hours=1)
    assert checks["plain"].params.severity_of("monitoring.x", Severity.CRITICAL) is Severity.INFO


def test_a_disabled_check_is_left_out(tmp_path: Path) -> None:
    config = configured(tmp_path, "      plain: {enabled: false}\n")
    assert list(REGISTRY.bind(config, "a")) == ["picky"]


def test_a_target_without_any_check_is_refused(tmp_path: Path) -> None:
    config = configured(tmp_path, "      plain: {enabled: false}\n      picky: {enabled: false}\n")
    with pytest.raises(ConfigError, match=r":4: targets\.a\.checks: every check is disabled"):
        REGISTRY.bind(config, "a")


def test_all_that_is_wrong_with_the_checks_is_told_with_line_and_path(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        "      plian: {}\n"
        "      plain:\n"
        "        evry: 5m\n"
        "        severity: {'*': loud}\n"
        "      picky:\n"
        "        threshold: 0\n"
        "        relations:\n"
        "          - a.b(c) -> d.e(f)\n"
        "          - a.b(c, d) -> d.e(f)\n",
    )
    with pytest.raises(ConfigError) as caught:
        REGISTRY.bind(config, "a")
    path = tmp_path / "pgvigil.yaml"
    not_loud = "expected 'critical', 'warning' or 'info', got 'loud'"
    unpaired = "'a.b(c, d) -> d.e(f)': 2 child columns but 1 parent columns"
    assert str(caught.value).splitlines() == [
        f"{path}:5: targets.a.checks.plian: unknown check; did you mean 'plain'?",
        f"{path}:7: targets.a.checks.plain.evry: unknown key; did you mean 'every'?",
        f"{path}:8: targets.a.checks.plain.severity['*']: {not_loud}",
        f"{path}:10: targets.a.checks.picky.threshold: should be greater than or equal to 1, got 0",
        f"{path}:11: targets.a.checks.picky.relations: {unpaired}",
    ]


def test_the_checks_of_all_targets_are_examined(tmp_path: Path) -> None:
    path = tmp_path / "pgvigil.yaml"
    path.write_text(
        "targets:\n  a: {dsn: dbname=a, checks: {plian: }}\n  b: {dsn: dbname=b, checks: {piky: }}\n"
    )
    with pytest.raises(ConfigError) as caught:
        REGISTRY.bind_all(load(path))
    assert str(caught.value).splitlines() == [
        f"{path}:2: targets.a.checks.plian: unknown check; did you mean 'plain'?",
        f"{path}:3: targets.b.checks.piky: unknown check; did you mean 'picky'?",
    ]
    sound = Config.from_dsn("dbname=a")
    assert REGISTRY.bind_all(sound).keys() == {"a"}


def test_a_setting_that_does_not_fit_the_catalog_leads_to_its_line(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        "      picky:\n        relations:\n          - a.b(c) -> d.e(f)\n          - a.b(x) -> d.e(f)\n",
    )
    problem = Problem(("relations", 1), "a.b has no column x", "a.b(x) -> d.e(f)")
    error = build_watch(config, "a", REGISTRY).misfit("picky", problem)
    assert (error.line, error.exit_status) == (8, 2)
    assert str(error).endswith(":8: targets.a.checks.picky.relations[1]: a.b has no column x")


def test_settings_that_crash_blame_the_plugin() -> None:
    class Crashing(Params):
        def model_post_init(self, context: object) -> None:
            if self.confirm:
                raise RuntimeError("no idea")

    class Crash(Plain):
        """Crashes.

        Proves: nothing.
        Cost: nothing.
        False positives: none.
        Remedy: none.
        """

        name = "crash"
        params_type = Crashing

    config = Config.from_dsn("dbname=a")
    config.targets["a"].checks["crash"] = {"confirm": 2}
    with pytest.raises(PluginError, match="its settings crashed: RuntimeError: no idea"):
        Registry.load([announce(Crash)]).bind(config, "a")


def test_all_that_is_wrong_with_a_file_is_told_in_one_round(tmp_path: Path) -> None:
    path = tmp_path / "pgvigil.yaml"
    path.write_text(
        "evry: 5m\n"
        "targets:\n"
        "  a:\n"
        "    dsn: dbname=a\n"
        "    checks: {plian: {}, picky: {threshold: 'no'}}\n"
        "  b:\n"
        "    every: soon\n"
        "    checks: {picky: 5}\n"
        "  c: nothing\n"
    )
    with pytest.raises(ConfigError) as caught:
        load(path, {}, REGISTRY.objections)
    lines = [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]
    assert [line[: line.index(": ", 3)] for line in lines] == [
        "1: evry",
        "5: targets.a.checks.plian",
        "5: targets.a.checks.picky.threshold",
        "6: targets.b.dsn",
        "7: targets.b.every",
        "8: targets.b.checks.picky",
        "9: targets.c",
    ]
