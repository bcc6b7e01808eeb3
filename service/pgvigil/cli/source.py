"""Where the settings of a command come from: a file, a DSN, or a file and a DSN for its target."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pgvigil.config import DSN_VARIABLE, Config, Listen, StateUrl, TargetSettings, load
from pgvigil.errors import UsageError


def read(
    file: Path | None,
    dsn: str | None,
    *,
    target: str | None = None,
    state: str | None = None,
    listen: str | None = None,
) -> Config:
    """Make the configuration that a command line means; raises ConfigError or UsageError.

    The environment counts only when the command line names neither file nor DSN: what is exported for one
    database must never be examined under the name of another.
    """
    file, dsn = named(file, dsn)
    if file is None and dsn is None:
        raise UsageError("nothing to watch: give --dsn DSN or --config FILE (pgvigil init writes one)")
    if file is not None:
        # The file that `init` writes takes its DSN from there; what is on the command line goes before it.
        config = load(file, os.environ if dsn is None else {**os.environ, DSN_VARIABLE: dsn})
        if dsn is not None:
            config = _reached_by(config, dsn, target)
    elif target is not None:
        raise UsageError("--target chooses among the targets of a --config, and there is none")
    else:
        config = Config.from_dsn(dsn or "")
    return _overridden(config, state, listen)


def named(file: Path | None, dsn: str | None) -> tuple[Path | None, str | None]:
    """Return the file and the DSN of the command line; if it names none, those of the environment."""
    if file is not None or dsn is not None:
        return file, dsn
    if exported := os.environ.get("PGVIGIL_CONFIG"):
        return Path(exported), None
    return None, os.environ.get(DSN_VARIABLE) or None


def options(file: Path | None, dsn: str | None, target: str) -> str:
    """Return the options that lead another command to the same target, to be pasted into a shell.

    The DSN is left to whoever pastes: it may hold a password.
    """
    named = [f"--config {shlex.quote(str(file))}", f"--target {target}"] if file is not None else []
    return " ".join([*named, *(["--dsn DSN"] if dsn is not None else [])])


def choose(config: Config, target: str | None) -> str:
    """Return the name of the target that is meant."""
    names = ", ".join(config.targets)
    if target is None:
        if len(config.targets) > 1:
            raise UsageError(f"the configuration has several targets ({names}): choose one with --target")
        return next(iter(config.targets))
    if target not in config.targets:
        raise UsageError(f"no target {target} in the configuration, only {names}")
    return target


def _reached_by(config: Config, dsn: str, target: str | None) -> Config:
    """Reach one target by another DSN: the same settings against another copy of the database."""
    if target is None and len(config.targets) > 1:
        names = ", ".join(config.targets)
        raise UsageError(f"--dsn stands for one target, and the configuration has several ({names})")
    target = choose(config, target)
    checked = Config.from_dsn(dsn, target).targets[target].dsn
    settings: TargetSettings = config.targets[target].model_copy(update={"dsn": checked})
    return config.model_copy(update={"targets": {**config.targets, target: settings}})


def _overridden(config: Config, state: str | None, listen: str | None) -> Config:
    update: dict[str, object] = {}
    if state is not None:
        update["state"] = _checked("--state", StateUrl, state)
    if listen is not None:
        update["web"] = config.web.model_copy(update={"listen": _checked("--listen", Listen, listen)})
    return config.model_copy(update=update)


def _checked(option: str, kind: Any, value: str) -> Any:
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"{option}: {reason}") from None
