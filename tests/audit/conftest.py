"""Audits of the test's database."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from pgvigil.assembly import build_watch
from pgvigil.audit.build import build_audit
from pgvigil.config import Config
from pgvigil.registry import Registry
from tests.sample.conftest import sample as sample  # noqa: PLC0414 - a fixture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.audit import Audit


class Audited(Protocol):
    """Audits the database of a DSN, or the only target of a configuration."""

    def __call__(self, of: str | Config, *, sampling: bool = True) -> Audit: ...


def nobody(_step: str, _done: float, _total: int) -> None:
    """Tell nobody of the progress."""


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The installed checks."""
    return Registry.load()


@pytest.fixture
def audited(registry: Registry) -> Iterator[Audited]:
    """`audited(dsn)`: what an audit finds there now."""
    with ExitStack() as stack:

        def audit(of: str | Config, *, sampling: bool = True) -> Audit:
            config = Config.from_dsn(of, "games") if isinstance(of, str) else of
            watch = build_watch(config, next(iter(config.targets)), registry, urgent=True)
            stack.callback(watch.target.close)
            return build_audit(watch, sampling=sampling, progress=nobody)

        yield audit
