"""`pgvigil config`, `init` and `grants`: what stands at the beginning of a watch."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgvigil import logs
from pgvigil.catalog import Catalog
from pgvigil.cli import source
from pgvigil.config import DSN_VARIABLE, Config, joined, json_schema, load, starting_file
from pgvigil.errors import UsageError
from pgvigil.grants import grants
from pgvigil.patterns import matches
from pgvigil.registry import Registry
from pgvigil.watch import Watch
from pgvigil.watching import build_watch
from pgvigil.web.security import Security


def check(file: Path, *, connect: bool) -> None:
    """Validate a file and the web configuration it names, and compare it with its databases if wanted."""
    logs.configure("error", "auto")
    config = load(file)
    registry = Registry.load()
    registry.bind_all(config)
    Security.of(config)
    for name in config.targets:
        with _watch(config, name, registry) as watch:
            line = f"{name}: {len(watch.checks)} checks"
            if connect:
                line += f", {_fits(watch)} subjects"
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"{file}: ok\n")


def _fits(watch: Watch) -> int:
    """Return how many subjects there are; raises ConfigError with all that does not fit the database."""
    catalog = watch.target.read_catalog(watch.scope)
    errors = watch.misplaced(catalog)
    count = 0
    for name, one in watch.checks.items():
        discovery = watch.runner.discover(one, catalog)
        errors += [watch.misfit(name, problem) for problem in discovery.problems]
        names = [subject.name for subject in discovery.subjects]
        for pattern in one.params.severity:
            if not any(matches(subject, pattern) for subject in names):
                path = ("checks", name, "severity", pattern)
                errors.append(watch.complain(path, "matches no subject of the check"))
        count += len(names)
    if errors:
        raise joined(errors)
    return count


def schema() -> None:
    """Print the JSON Schema, with the settings of every installed check."""
    models = {name: check.params_type for name, check in Registry.load().types.items()}
    sys.stdout.write(json.dumps(json_schema(models), indent=2, ensure_ascii=False) + "\n")


def init(dsn: str | None, output: Path | None) -> None:
    """Write a starting file; an existing one is never overwritten."""
    logs.configure("error", "auto")
    registry = Registry.load()
    catalog = None
    name = "main"
    dsn = dsn or os.environ.get(DSN_VARIABLE)
    if dsn:
        config = Config.from_dsn(dsn)
        name = source.choose(config, None)
        catalog = _catalog(config, name, registry)
    text = starting_file(name, catalog, registry.types)
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


def show_grants(role: str, file: Path | None, dsn: str | None, target: str | None) -> None:
    """Print the SQL of a role that may read what is watched, and no more."""
    logs.configure("error", "auto")
    file, dsn = source.named(file, dsn)
    if file is None and dsn is None:
        sys.stdout.write(grants(role, None))
        return
    config = source.read(file, dsn, target=target)
    with _watch(config, source.choose(config, target), Registry.load()) as watch:
        catalog = watch.target.read_catalog(watch.scope)
        found = [watch.runner.discover(one, catalog) for one in watch.checks.values()]
    # Settings may name tables outside the watched schemas.
    subjects = (one.name for each in found for one in each.subjects if one.unexaminable is None)
    sys.stdout.write(grants(role, catalog, subjects))


def _catalog(config: Config, name: str, registry: Registry) -> Catalog:
    with _watch(config, name, registry) as watch:
        return watch.target.read_catalog(watch.scope)


@contextmanager
def _watch(config: Config, name: str, registry: Registry) -> Iterator[Watch]:
    watch = build_watch(config, name, registry)
    try:
        yield watch
    finally:
        watch.target.close()
