"""`pgvigil config`, `init` and `grants`: what stands at the beginning of a watch."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

from pgvigil import logs
from pgvigil.assembly import build_watch
from pgvigil.catalog import Catalog
from pgvigil.check import Subject
from pgvigil.cli import source
from pgvigil.cli.calling import Daemon
from pgvigil.cli.decisions import Decisions
from pgvigil.cli.fit import Leftover, fit
from pgvigil.cli.output import counted
from pgvigil.cli.progress import progress_bar
from pgvigil.cli.rights import lacks, unread
from pgvigil.cli.starting import Known, discovered
from pgvigil.config import DSN_VARIABLE, Config, TargetSettings, joined, json_schema, load
from pgvigil.config.starting import starting_file
from pgvigil.doubts import doubts
from pgvigil.errors import ConfigError, TargetError, UsageError
from pgvigil.grants import grants
from pgvigil.imports import Kind as FileKind
from pgvigil.patterns import matches
from pgvigil.registry import Registry
from pgvigil.routing import reach
from pgvigil.sensor import Signal
from pgvigil.watch import Watch
from pgvigil.web.security import Security

# What is less probable than not cannot be adopted unseen.
_LEAST_ADOPTED = 0.5


def check(file: Path, *, connect: bool) -> None:
    """Validate a file and the web configuration it names, and compare it with its databases if wanted.

    All targets are looked at, whatever is the matter with one of them.
    """
    logs.configure("error", "auto")
    registry = Registry.load()
    config = load(file, objections=registry.objections)
    warnings = list(map(str, doubts(config, registry.bind_all(config))))
    Security.of(config)
    look = _Look(config, file, registry)
    failures: list[ConfigError | TargetError] = []
    lines = []
    for name in config.targets:
        with _watch(config, name, registry) as watch:
            line = f"{name}: {counted(len(watch.checks), 'check')}"
            try:
                lines.append(line + (look.at(watch) if connect else ""))
            except (ConfigError, TargetError) as error:
                failures.append(error)
    _raise_all(failures)
    for warning in (*warnings, *look.warnings):
        sys.stderr.write(f"pgvigil: warning: {warning}\n")
    sys.stdout.writelines(f"{line}\n" for line in (*lines, f"{file}: ok"))


class _Look:
    """Compares the settings of one target after the other with its database; `warnings` add up."""

    def __init__(self, config: Config, file: Path, registry: Registry) -> None:
        self.warnings: list[str] = []
        self._leftovers: set[Leftover] = set()
        self._config = config
        self._file = file
        self._watch = partial(_watch, config, registry=registry)
        self._peer = cache(partial(_catalog, config, registry=registry))

    def at(self, watch: Watch) -> str:
        """Return what there is to examine; raises ConfigError with all that does not fit, or TargetError."""
        lacking = lacks(watch, self._watch)
        misfits = [one.error for one in lacking if not one.partly]
        catalog = watch.target.read_catalog(watch.scope)
        subjects = _fitting(watch, catalog, self._peer, misfits)
        self.warnings += [str(one.error) for one in lacking if one.partly]
        self.warnings += map(str, watch.nowhere(catalog))
        self.warnings += unread(watch, catalog, _examined(subjects), self._file)
        self.warnings += fit(self._config, watch, self._file, self._leftovers)
        standby = ", its standby too" if watch.target.standby is not None else ""
        return f", {counted(len(subjects), 'subject')}{standby}"


def _raise_all(failures: Sequence[ConfigError | TargetError]) -> None:
    """Raise what was the matter with targets: faults of the file, or else with their servers."""
    faults = [one for one in failures if isinstance(one, ConfigError)]
    others = "\n".join(dict.fromkeys(str(one) for one in failures if not isinstance(one, ConfigError)))
    if faults:
        sys.stderr.writelines(f"pgvigil: {line}\n" for line in others.splitlines())
        raise joined(faults)
    if others:
        raise TargetError(others)


def _fitting(
    watch: Watch, catalog: Catalog, peer: Callable[[str], Catalog], misfits: list[ConfigError]
) -> list[Subject]:
    """Return the subjects that there are.

    Raises ConfigError with all that does not fit the databases, of which some is known: `misfits`.
    """
    errors = [*misfits, *watch.misplaced(catalog)]
    subjects: list[Subject] = []
    for name, one in watch.checks.items():
        discovery = watch.runner.discover(one, catalog)
        problems = (*discovery.problems, *one.misfits(catalog, peer))
        errors += [watch.misfit(name, problem) for problem in problems]
        subjects += discovery.subjects
        names = [subject.name for subject in discovery.subjects]
        for pattern in one.params.severity:
            if not any(matches(subject, pattern) for subject in names):
                path = ("checks", name, "severity", pattern)
                errors.append(watch.complain(path, "matches no subject of the check"))
    errors += _standby_misfits(watch)
    if errors:
        raise joined(errors)
    return subjects


def _examined(subjects: Iterable[Subject]) -> list[str]:
    """Return the names of those that can be examined, if the role may read what they are about."""
    return [one.name for one in subjects if one.unexaminable is None]


def _standby_misfits(watch: Watch) -> Iterator[ConfigError]:
    """Yield why the target's standby could not be read now, if there is one, and it could not."""
    if watch.target.standby is None:
        return
    try:
        reach(watch, watch.target.standby)
    except TargetError as error:
        yield watch.complain(("standby",), str(error))


def schema() -> None:
    """Print the JSON Schema, with the settings of every installed check."""
    models = {name: check.params_type for name, check in Registry.load().types.items()}
    sys.stdout.write(json.dumps(json_schema(models), indent=2, ensure_ascii=False) + "\n")


def init(
    dsn: str | None,
    output: Path | None,
    daemon: Daemon | None = None,
    target: str | None = None,
    brought: tuple[FileKind, Path] | None = None,
    adopt: float | None = None,
) -> None:
    """Write a starting file; an existing one is never overwritten.

    What was decided of a `daemon`'s proposals on a target holds, and so does what is `brought`, a file of
    another tool; from a probability of `adopt` on what is inferred is taken for adopted. Raises UsageError,
    and as `Daemon.get` does.
    """
    logs.configure("error", "auto")
    registry = Registry.load()
    dsn = dsn or os.environ.get(DSN_VARIABLE)
    if daemon is not None and not dsn:
        raise UsageError("--url is about proposals on a database: give its --dsn, too")
    if brought is not None and not dsn:
        raise UsageError("--import is held against a database: give its --dsn, too")
    if adopt is not None and not dsn:
        raise UsageError("--adopt is about what is inferred of a database: give its --dsn, too")
    if adopt is not None and not _LEAST_ADOPTED <= adopt <= 1:
        raise UsageError(f"--adopt is a probability, from {_LEAST_ADOPTED} to 1: {adopt} is none")
    decisions = Decisions.of(daemon, target) if daemon is not None else None
    known = Known(decisions, brought, adopt)
    text = _starting_file(dsn, registry, known) if dsn else starting_file("main", None, registry.types)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{output} exists and is left as it is: choose another --output") from None
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from None
    sys.stderr.write(f"wrote {output}; next: export {DSN_VARIABLE}=DSN, pgvigil config check {output}\n")


def _starting_file(dsn: str, registry: Registry, known: Known) -> str:
    """Return a file about what is found at the DSN; raises ConfigError, TargetError and UsageError."""
    config = Config.from_dsn(dsn)
    name = source.choose(config, None)
    with _watch(config, name, registry) as watch, progress_bar() as progress:
        catalog, proposals = discovered(watch, config, registry, progress or _nobody, known)
    return starting_file(name, catalog, registry.types, proposals)


def _nobody(_step: str, _done: float, _total: int) -> None:
    """Tell nobody: stderr is no terminal."""


def show_grants(role: str, file: Path | None, dsn: str | None, target: str | None) -> None:
    """Print the SQL of a role that may read what is watched, and no more."""
    logs.configure("error", "auto")
    file, dsn = source.named(file, dsn)
    if file is None and dsn is None:
        sys.stdout.write(grants(role, None))
        return
    config, registry = source.read(file, dsn, target=target), Registry.load()
    name = source.choose(config, target)
    with _watch(config, name, registry) as watch:
        catalog = watch.target.read_catalog(watch.scope)
        found = [watch.runner.discover(one, catalog) for one in watch.checks.values()]
    # Settings may name tables outside the watched schemas, and those of other targets tables of this one.
    subjects = _examined(one for each in found for one in each.subjects)
    subjects += _compared_with(config, name, registry)
    settings = config.targets[name]
    logical = settings.changes == "logical"
    sys.stdout.write(
        grants(role, catalog, subjects, logical=logical, sees_others_for=_needs_to_see_others(settings))
    )


def _needs_to_see_others(settings: TargetSettings) -> Iterator[str]:
    """Yield the settings of a target that are of no use to a role that sees no sessions of others."""
    if settings.standby is not None:
        yield "standby"
    for signal in Signal:
        if signal.of_others and getattr(settings.budget.pause, signal.value) is not None:
            yield f"budget.pause.{signal}"


def _compared_with(config: Config, target: str, registry: Registry) -> Iterator[str]:
    """Yield the tables of a target that the checks of the other ones read."""
    for other in config.targets:
        if other != target:
            for check in registry.bind(config, other).values():
                yield from (str(one.table) for one in check.params.elsewhere() if one.target == target)


def _catalog(config: Config, name: str, *, registry: Registry) -> Catalog:
    with _watch(config, name, registry) as watch:
        return watch.target.read_catalog(watch.scope)


@contextmanager
def _watch(config: Config, name: str, registry: Registry) -> Iterator[Watch]:
    watch = build_watch(config, name, registry)
    try:
        yield watch
    finally:
        watch.target.close()
