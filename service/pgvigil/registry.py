"""The registry: every installed check, the built-in ones too, as found through the entry point group.

A distribution announces its checks in the group `pgvigil.checks`; each entry point is a subclass of `Check`
or a sequence of them. One that cannot be used stops the start, with the name of the distribution to blame: a
monitor that silently lacks a check would show an all-clear that nobody gave.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pgvigil import logs
from pgvigil.check import Check, Params, describe
from pgvigil.config import Config, Draft, joined, near_match, one_line
from pgvigil.errors import ConfigError, PluginError

GROUP = "pgvigil.checks"

_OWN = "pgvigil"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class _Installed:
    """A check that fulfils the contract, and the distribution that brought it, as `name version`."""

    type: type[Check[Any]]
    distribution: str


class Registry:
    """The installed checks by name: the built-in ones first, then those of others by distribution."""

    def __init__(self, installed: Mapping[str, _Installed]) -> None:
        self._installed = installed

    @classmethod
    def load(cls, announced: Iterable[EntryPoint] | None = None) -> Registry:
        """Import and examine all installed checks, or those of `announced`; raises PluginError."""
        points = entry_points(group=GROUP) if announced is None else announced
        installed: dict[str, _Installed] = {}
        for point in sorted(points, key=_rank):
            for found in _checks_of(point):
                name = found.type.name
                if name in installed:
                    raise PluginError(
                        f"{found.distribution}: check {name} is already there,"
                        f" brought by {installed[name].distribution}: uninstall one of them"
                    )
                installed[name] = found
        if not installed:
            raise PluginError(f"no installed distribution has checks (entry point group {GROUP})")
        logs.settle()
        return cls(installed)

    @property
    def types(self) -> dict[str, type[Check[Any]]]:
        """The checks by name, in an order that is the same in every process."""
        return {name: found.type for name, found in self._installed.items()}

    @property
    def params_types(self) -> dict[str, type[Params]]:
        """The models of the checks' settings by name of the check."""
        return {name: found.type.params_type for name, found in self._installed.items()}

    def distribution(self, name: str) -> str:
        """Return the distribution that brought a check, such as `pgvigil 1.0.0`."""
        return self._installed[name].distribution

    def bind(self, config: Config, target: str) -> dict[str, Check[Any]]:
        """Return the enabled checks of a target, bound to their settings.

        Raises ConfigError with all that is wrong with the target's checks, and PluginError.
        """
        bound, errors = self._bound(config, target, config.targets[target].checks)
        if errors:
            raise joined(errors)
        if not bound:
            # A target without checks would look as clean as one that passed them all.
            raise config.error_at(_path(target), "every check is disabled: leave the target out instead")
        return bound

    def objections(self, draft: Draft) -> Iterator[ConfigError]:
        """Yield what is wrong with the checks of a file in which something else is wrong as well."""
        for target, sections in draft.checks():
            _, errors = self._bound(draft, target, sections)
            yield from errors

    def _bound(
        self, config: Config | Draft, target: str, sections: Mapping[str, Any]
    ) -> tuple[dict[str, Check[Any]], list[ConfigError]]:
        """Return the enabled checks of a target, and all that is wrong with their settings."""
        errors = [
            config.error_at(_path(target, name), f"unknown check{near_match(name, self._installed)}")
            for name in sections
            if name not in self._installed
        ]
        bound: dict[str, Check[Any]] = {}
        for name, found in self._installed.items():
            try:
                params = _params(found, config, _path(target, name), sections.get(name, {}))
            except ConfigError as error:
                errors.append(error)
                continue
            if params.enabled:
                errors += _astray(config, target, name, params)
                bound[name] = _instance(found, params)
        return bound, errors

    def bind_all(self, config: Config) -> dict[str, dict[str, Check[Any]]]:
        """Return the enabled checks of every target; raises as `bind` does, with all targets' errors."""
        bound, errors = {}, []
        for target in config.targets:
            try:
                bound[target] = self.bind(config, target)
            except ConfigError as error:
                errors.append(error)
        if errors:
            raise joined(errors)
        return bound

    def disclosed(self, config: Config) -> dict[str, Any]:
        """Return a configuration as plain JSON, without secrets and without what came from outside the file.

        The settings of a check are those that it understands; raises ConfigError as `bind_all` does.
        """
        shown = config.model_dump(mode="json")
        for target, checks in self.bind_all(config).items():
            shown["targets"][target]["checks"] = {
                name: check.params.model_dump(mode="json") for name, check in checks.items()
            }
        return config.without_imports(shown)


def _path(target: str, *check: str) -> tuple[str, ...]:
    return ("targets", target, "checks", *check)


def _astray(config: Config | Draft, target: str, name: str, params: Params) -> Iterator[ConfigError]:
    """Yield an error for each table of another target whose target is none, or no other one."""
    for one in params.elsewhere():
        path = (*_path(target, name), *one.path)
        if one.target == target:
            yield config.error_at(path, f"{target} is the target itself: leave it out")
        elif one.target not in config.targets:
            yield config.error_at(path, f"unknown target{near_match(one.target, config.targets)}")


def _params(found: _Installed, config: Config | Draft, path: tuple[str, ...], section: object) -> Params:
    """Read a check's section; a plugin's own validators may raise whatever they like."""
    try:
        return config.section(path, section, found.type.params_type)
    except ConfigError:
        raise
    except Exception as error:
        raise _broken(found, f"its settings crashed: {_brief(error)}") from error


def _rank(point: EntryPoint) -> tuple[bool, str, str, str]:
    distribution = _distribution(point)
    return distribution.split()[0] != _OWN, distribution, point.name, point.value


def _distribution(point: EntryPoint) -> str:
    """Name the distribution of an entry point; a half-removed one may have lost its own name."""
    if point.dist is None or "Name" not in point.dist.metadata:
        return "an unknown distribution"
    return f"{point.dist.name} {point.dist.version}"


def _checks_of(point: EntryPoint) -> Iterator[_Installed]:
    """Import what an entry point announces, and yield it when it fulfils the contract."""
    distribution = _distribution(point)
    announced = f"entry point {point.name} = {point.value}"
    try:
        # Standard output belongs to the commands' results.
        with redirect_stdout(sys.stderr):
            loaded = point.load()
    except (Exception, SystemExit) as error:
        raise PluginError(f"{distribution}: {announced} cannot be imported: {_brief(error)}") from error
    types = loaded if isinstance(loaded, Sequence) and not isinstance(loaded, str) else (loaded,)
    for type_ in types:
        if not (isinstance(type_, type) and issubclass(type_, Check)):
            raise PluginError(
                f"{distribution}: {announced} is no check: expected subclasses of pgvigil.check.Check,"
                f" got {one_line(repr(type_))[:100]}"
            )
        found = _Installed(type_, distribution)
        with redirect_stdout(sys.stderr):
            _examine(found)
        yield found


def _examine(found: _Installed) -> None:
    """Hold a check to the plugin contract; raises PluginError that says what breaks it."""
    for flaw in _flaws(found.type):
        raise _broken(found, flaw)
    try:
        params = found.type.params_type()
        found.type.params_type.model_json_schema()
    except Exception as error:
        raise _broken(
            found, f"params_type must have defaults throughout and a JSON Schema: {_brief(error)}"
        ) from error
    _instance(found, params)


def _flaws(check: type[Check[Any]]) -> Iterator[str]:
    name, params_type = getattr(check, "name", None), getattr(check, "params_type", None)
    if not (isinstance(name, str) and _NAME.fullmatch(name) and len(name) <= _LONGEST_NAME):
        yield f"name must be snake_case text of at most {_LONGEST_NAME} characters, got {name!r}"
    if not (isinstance(params_type, type) and issubclass(params_type, Params)):
        yield f"params_type must be a subclass of pgvigil.check.Params, got {params_type!r}"
    elif params_type.model_config.get("extra") != "forbid":
        yield "params_type must forbid unknown keys (extra='forbid', as Params does)"
    if inspect.isabstract(check):
        yield f"it lacks {' and '.join(sorted(check.__abstractmethods__))}"
    yield from _signature_flaws(check)
    try:
        describe(check)
    except ValueError as error:
        yield str(error)


def _signature_flaws(check: type[Check[Any]]) -> Iterator[str]:
    for method, arguments in {"discover": ("catalog",), "run": ("context", "subject")}.items():
        function = getattr(check, method)
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            yield f"{method} must be a plain function, neither async nor a generator"
        try:
            inspect.signature(function).bind("self", *arguments)
        except (TypeError, ValueError):
            yield f"{method} must take ({', '.join(arguments)})"


def _instance(found: _Installed, params: Params) -> Check[Any]:
    """Bind a check to its settings; raises PluginError when its constructor is not the contract's."""
    try:
        check = found.type(params)
    except (Exception, SystemExit) as error:
        raise _broken(found, f"its constructor must take params alone: {_brief(error)}") from error
    if getattr(check, "params", None) is not params:
        raise _broken(found, "its constructor must keep params: call super().__init__(params)")
    return check


def _broken(found: _Installed, flaw: str) -> PluginError:
    where = f"{found.type.__module__}.{found.type.__qualname__}"
    return PluginError(f"{found.distribution}: {where} breaks the plugin contract: {one_line(flaw)[:400]}")


def _brief(error: BaseException) -> str:
    return one_line(f"{type(error).__name__}: {error}")[:300].rstrip(": ")
