"""Every way in which a check can break the plugin contract is found before anything is watched."""

from __future__ import annotations

from abc import abstractmethod
from importlib.metadata import EntryPoint, distributions
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ConfigDict

from pgvigil.check import Params
from pgvigil.errors import PluginError
from pgvigil.registry import Registry
from tests.registry.announced import announce
from tests.registry.samples import Picky, Plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def variant(**members: Any) -> type[Plain]:
    """Return a check that differs from a sound one in these members alone."""
    return type("Variant", (Plain,), {"__doc__": Plain.__doc__, **members})


class Loose(Params):
    model_config = ConfigDict(extra="allow")


class Demanding(Params):
    password: str


class Indescribable(Params):
    thing: Callable[[], int] | None = None


Indescribable.model_rebuild(_types_namespace={"Callable": __import__("collections.abc").abc.Callable})


class NotParams:
    pass


async def async_run(self: object, context: object, subject: object) -> None:
    pass


def narrow_run(self: object, context: object) -> None:
    """Take too little."""


def blind_discover(self: object) -> None:
    """Take nothing."""


def forgetful(self: object, params: Params) -> None:
    """Keep nothing."""


def greedy(self: object, params: Params, more: int) -> None:
    """Want more than the contract gives."""


def test_a_variant_without_differences_is_sound() -> None:
    assert list(Registry.load([announce(variant())]).types) == ["plain"]


@pytest.mark.parametrize(
    ("members", "flaw"),
    [
        ({"name": "CamelCase"}, "name must be snake_case"),
        ({"name": "two words"}, "name must be snake_case"),
        ({"name": "trailing_"}, "name must be snake_case"),
        ({"name": "newline\n"}, "name must be snake_case"),
        ({"name": "x" * 64}, "name must be snake_case text of at most 63 characters"),
        ({"name": 7}, "name must be snake_case"),
        ({"name": ""}, "name must be snake_case"),
        ({"params_type": NotParams}, r"params_type must be a subclass of pgvigil\.check\.Params"),
        ({"params_type": {}}, r"params_type must be a subclass of pgvigil\.check\.Params"),
        ({"params_type": Loose}, "params_type must forbid unknown keys"),
        ({"params_type": Demanding}, "params_type must have defaults throughout"),
        ({"params_type": Indescribable}, "params_type must have defaults throughout and a JSON Schema"),
        ({"__doc__": None}, "docstring lacks"),
        ({"__doc__": "Finds nothing.\n\nProves: it.\n"}, "docstring lacks Cost, False positives, Remedy"),
        ({"run": async_run}, "run must be a plain function"),
        ({"run": narrow_run}, r"run must take \(context, subject\)"),
        ({"run": None}, r"run must take \(context, subject\)"),
        ({"discover": blind_discover}, r"discover must take \(catalog\)"),
        ({"__init__": forgetful}, "its constructor must keep params"),
        ({"__init__": greedy}, "its constructor must take params alone: TypeError"),
        (
            {"run": abstractmethod(Plain.run), "discover": abstractmethod(Plain.discover)},
            "it lacks discover and run",
        ),
    ],
)
def test_a_broken_contract_is_named_in_one_line(members: dict[str, Any], flaw: str) -> None:
    with pytest.raises(PluginError, match=rf"Variant breaks the plugin contract: {flaw}") as caught:
        Registry.load([announce(variant(**members))])
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("announced", [Plain(Params()), "plain", Params, object, None])
def test_what_is_no_check_is_refused(announced: object) -> None:
    with pytest.raises(PluginError, match=r"is no check: expected subclasses of pgvigil\.check\.Check, got "):
        Registry.load([announce(announced)])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module:CHECKS", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("tests.registry.samples:NoSuchName", "AttributeError: "),
        ("tests.registry.leaves:CHECKS", "SystemExit: 0"),
    ],
)
def test_what_cannot_be_imported_is_named(value: str, reason: str) -> None:
    with pytest.raises(PluginError, match=f"entry point foo = {value} cannot be imported: {reason}"):
        Registry.load([EntryPoint("foo", value, "pgvigil.checks")])


def test_a_distribution_without_metadata_is_no_obstacle(tmp_path: Path) -> None:
    remains = tmp_path / "gone-1.0.dist-info"
    remains.mkdir()
    value = announce(Plain).value
    (remains / "entry_points.txt").write_text(f"[pgvigil.checks]\nfoo = {value}\nbar = no_such_module:X\n")
    (distribution,) = distributions(path=[str(tmp_path)])
    bar, foo = sorted(distribution.entry_points)
    assert Registry.load([foo]).distribution("plain") == "an unknown distribution"
    with pytest.raises(PluginError, match=r"^an unknown distribution: entry point bar = no_such_module:X"):
        Registry.load([foo, bar])


@pytest.mark.parametrize("value", ["", "two words", "module:", "1", ":x", "module:attr.", "a:b:c"])
def test_an_entry_point_that_leads_nowhere_is_named(value: str) -> None:
    with pytest.raises(
        PluginError, match=r"an unknown distribution: entry point foo = .* cannot be imported"
    ):
        Registry.load([EntryPoint("foo", value, "pgvigil.checks")])


def test_two_checks_of_one_name_are_refused() -> None:
    with pytest.raises(PluginError, match="check plain is already there, brought by"):
        Registry.load([announce(Plain, variant())])


def test_a_start_without_any_check_is_refused() -> None:
    with pytest.raises(PluginError, match="no installed distribution has checks"):
        Registry.load([])
    with pytest.raises(PluginError, match="no installed distribution has checks"):
        Registry.load([announce()])


def test_the_order_does_not_depend_on_how_checks_were_found() -> None:
    first, second = announce(Picky, name="a"), announce(Plain, name="b")
    assert list(Registry.load([first, second]).types) == ["picky", "plain"]
    assert list(Registry.load([second, first]).types) == ["picky", "plain"]
