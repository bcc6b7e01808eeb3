"""What people adopted, as if they had written it into the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pgvigil.config import Config, KeyPath
from pgvigil.errors import ConfigError
from pgvigil.logs import get_logger
from pgvigil.proposal import Kind, Proposal
from pgvigil.registry import Registry

_SETTINGS = {Kind.RELATION: ("orphan_rows", "relations"), Kind.PAIR: ("table_drift", "pairs")}
"""The check, and the list among its settings, to which an adopted proposal is added."""

Complain = Callable[[KeyPath, str], ConfigError]

log = get_logger(__name__)


def matching(settings: object) -> str:
    """Say which columns a pair's tables are matched by and compared in; empty of anything else."""
    if not isinstance(settings, Mapping):
        return ""
    parts = [f"{name} {_columns(settings[name])}" for name in ("key", "columns") if settings.get(name)]
    tolerance = settings.get("tolerance") or {}
    return "; ".join([*parts, *(f"{column} within {most}" for column, most in tolerance.items())])


def _columns(names: Mapping[str, str]) -> str:
    return ", ".join(left if left == right else f"{left} = {right}" for left, right in names.items())


def checks_of(proposals: Iterable[Proposal]) -> set[str]:
    """Return the checks that proposals are for."""
    return {_SETTINGS[one.kind][0] for one in proposals}


def changed(before: Sequence[Proposal], now: Sequence[Proposal]) -> list[Proposal]:
    """Return what was adopted, or no longer is."""
    ids_before, ids_now = {one.id for one in before}, {one.id for one in now}
    return [one for one in (*before, *now) if (one.id in ids_before) != (one.id in ids_now)]


def with_adopted(config: Config, target: str, adopted: Sequence[Proposal], registry: Registry) -> Config:
    """Return a configuration in which what was adopted on a target follows what is configured there.

    What no check takes any more is left out, and logged: it must not keep the target from being watched.
    """
    configured = _pairs_of(config.targets[target].checks)
    adopted = [one for one in adopted if _sides(one.settings) not in configured]
    if not adopted or _binds(config, target, adopted, registry) is None:
        return _added(config, target, adopted)
    fit: list[Proposal] = []
    for one in adopted:
        error = _binds(config, target, [*fit, one], registry)
        if error is None:
            fit.append(one)
        else:
            log.error("what was adopted does not fit", target=target, subject=one.subject, error=str(error))
    return _added(config, target, fit)


def complaining(complain: Complain, config: Config, adopted: Sequence[Proposal]) -> Complain:
    """Return what tells of something adopted as such, and of all else as before."""

    def told(path: KeyPath, message: str) -> ConfigError:
        proposal = _adopted_at(path, config, adopted)
        if proposal is None:
            return complain(path, message)
        return ConfigError(f"adopted {proposal.subject}: {message}; `pgvigil proposals reject {proposal.id}`")

    return told


def _adopted_at(path: KeyPath, config: Config, adopted: Sequence[Proposal]) -> Proposal | None:
    """Return the adopted proposal that the setting at a path was made of."""
    match path:
        case ("targets", str(target), "checks", str(check), str(setting), int(position), *_):
            written = _listed(config.targets[target].checks.get(check, {}), setting)
            ours = [one for one in adopted if _SETTINGS[one.kind] == (check, setting)]
            if 0 <= position - len(written) < len(ours):
                return ours[position - len(written)]
    return None


def _binds(
    config: Config, target: str, adopted: Sequence[Proposal], registry: Registry
) -> ConfigError | None:
    """Return what is wrong with a target's settings once these are added; None when nothing is."""
    try:
        registry.bind(_added(config, target, adopted), target)
    except ConfigError as error:
        return error
    return None


def _added(config: Config, target: str, adopted: Iterable[Proposal]) -> Config:
    settings = config.targets[target]
    checks: dict[str, dict[str, Any]] = {name: dict(section) for name, section in settings.checks.items()}
    for one in adopted:
        check, setting = _SETTINGS[one.kind]
        section = checks.setdefault(check, {})
        section[setting] = [*_listed(section, setting), one.settings]
    changed = settings.model_copy(update={"checks": checks})
    return config.model_copy(update={"targets": {**config.targets, target: changed}})


def _listed(section: Mapping[str, Any], setting: str) -> list[Any]:
    written = section.get(setting)
    return list(written) if isinstance(written, list | tuple) else []


def _pairs_of(checks: Mapping[str, Mapping[str, Any]]) -> list[frozenset[str]]:
    check, setting = _SETTINGS[Kind.PAIR]
    return [sides for one in _listed(checks.get(check, {}), setting) if (sides := _sides(one))]


def _sides(settings: object) -> frozenset[str]:
    """Return the two tables of a pair's settings; of anything else nothing."""
    if not isinstance(settings, Mapping) or settings.get("right_target"):
        return frozenset()
    return frozenset((str(settings.get("left")), str(settings.get("right"))))
