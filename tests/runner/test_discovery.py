"""A discovery that crashes, hangs or breaks the contract is refused as a whole."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.check import Discovery, Subject
from pgvigil.errors import PluginError
from pgvigil.runner import Runner
from tests.runner.plugins import EMPTY, Plugin

if TYPE_CHECKING:
    pass

WRONG_DISCOVERIES: dict[str, Any] = {
    "None": None,
    "a tuple": (Subject("one"),),
    "subjects None": Discovery(None),  # type: ignore[arg-type]
    "a name for a subject": ["one"],
    "a subject twice": [Subject("one"), Subject("two"), Subject("one")],
    "a name that is no text": [Subject(1)],  # type: ignore[arg-type]
    "an empty name": [Subject("")],
    "an absurd name": [Subject("x" * 100_000)],
    "NUL in a name": [Subject("a\0")],
    "half a character in a name": [Subject("a\ud800")],
    "confirmed by nothing": [Subject("one", confirm=0)],
    "confirmed by text": [Subject("one", confirm="2")],  # type: ignore[arg-type]
    "unexaminable for a number": [Subject("one", unexaminable=3)],  # type: ignore[arg-type]
}


@pytest.mark.parametrize("found", WRONG_DISCOVERIES.values(), ids=WRONG_DISCOVERIES)
def test_a_discovery_that_breaks_the_contract_is_refused(lone_runner: Runner, found: Any) -> None:
    made = Discovery(tuple(found)) if isinstance(found, list) else found
    with pytest.raises(PluginError, match="check plugin broke its contract"):
        lone_runner.discover(Plugin(discover=lambda _: made), EMPTY)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, RecursionError, MemoryError])
def test_a_discovery_that_crashes_is_refused(lone_runner: Runner, error: type[BaseException]) -> None:
    def crash(catalog: object) -> object:
        raise error

    with pytest.raises(PluginError, match=f"check plugin crashed in discover: {error.__name__}"):
        lone_runner.discover(Plugin(discover=crash), EMPTY)


def test_a_discovery_that_hangs_is_given_up(impatient: Runner) -> None:
    go_on = threading.Event()
    check = Plugin(discover=lambda _: go_on.wait(60))
    for reason in ("did not return within 0.3 s", "still hangs"):
        with pytest.raises(PluginError, match=reason):
            impatient.discover(check, EMPTY)
    go_on.set()
