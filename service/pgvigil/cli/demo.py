"""`pgvigil demo`: the sample database, watched by the daemon or held against its answer key once."""

from __future__ import annotations

import math
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from pgvigil import logs
from pgvigil.app import Daemon
from pgvigil.assembly import build_watch
from pgvigil.catalog import Catalog, TableKind
from pgvigil.cli import report
from pgvigil.cli.daemon import stopped_by_signals
from pgvigil.cli.paper import Paper
from pgvigil.cli.progress import progress_bar
from pgvigil.demo import DATABASE, Demo, Settings, prepared
from pgvigil.errors import PgvigilError, UsageError
from pgvigil.once import Report, check_once
from pgvigil.registry import Registry
from pgvigil.sample import AnswerKey, Motion

_STEP_SECONDS = 8.0


def once(settings: Settings) -> int:
    """Sweep the sample, report, and compare with what was planted; 0 when they agree, else 1."""
    logs.configure("error", "auto")
    registry = Registry.load()
    with _steps() as tell, prepared(settings, tell) as demo:
        tell("examining it")
        watch = build_watch(demo.config, DATABASE, registry, urgent=True)
        try:
            catalog = watch.target.read_catalog(watch.scope)
            with progress_bar() as progress:
                found = check_once(watch, progress=progress)
        finally:
            watch.target.close()
    console = Paper()
    report.print_text(found, console)
    console.print(_inventory(catalog), soft_wrap=True)
    return 0 if _agrees(found, demo.answer, console) else 1


def run(settings: Settings, port: int) -> int:
    """Watch the sample while its faults come and go, until Ctrl-C."""
    logs.configure("warning", "auto")
    registry = Registry.load()
    _require_free(port)
    console = Paper()
    with (
        _steps() as tell,
        prepared(settings, tell, listen=f"127.0.0.1:{port}") as demo,
        _watched(demo, registry) as daemon,
    ):
        tell("")
        console.print(Text.assemble("Console  ", (daemon.address, "bold cyan")), soft_wrap=True)
        console.print(f"Metrics  {daemon.address}metrics", soft_wrap=True)
        console.print(f"Database {demo.dsn}", soft_wrap=True)
        console.print("Faults come and go; Ctrl-C stops everything and leaves nothing behind.\n")
        _move(Motion(demo.dsn, settings.seed, demo.answer), daemon, console)
        console.print("Stopping …")
    return 0


def _require_free(port: int) -> None:
    """Raise UsageError now, and not after the sample was built, when the console's port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(f"port {port} cannot be had ({error.strerror}): give another --port") from None


@contextmanager
def _watched(demo: Demo, registry: Registry) -> Iterator[Daemon]:
    daemon = Daemon(demo.config, registry)
    with stopped_by_signals(daemon, on_hangup=True):
        daemon.start()
        try:
            yield daemon
        finally:
            daemon.stop()


def _move(motion: Motion, daemon: Daemon, console: Console) -> None:
    """Take a step every few seconds until the daemon is told to stop."""

    def walk() -> None:
        while not daemon.ended(_STEP_SECONDS):
            try:
                console.print(Text(motion.step()), soft_wrap=True)
            except PgvigilError as error:
                console.print(Text(f"a step failed: {error}", style="yellow"), soft_wrap=True)

    walker = threading.Thread(target=walk, name="motion", daemon=True)
    walker.start()
    daemon.wait()
    walker.join()


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """Yield what shows the present step on a terminal, and elsewhere a line a second at the most."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _seldom()
        return
    with console.status("") as status:

        def tell(step: str) -> None:
            status.update(step)
            if not step:
                status.stop()

        yield tell


def _seldom() -> Callable[[str], None]:
    last = -math.inf

    def tell(step: str) -> None:
        nonlocal last
        now = time.monotonic()
        if step and now - last >= 1.0:
            last = now
            sys.stderr.write(f"{step}\n")

    return tell


def _inventory(catalog: Catalog) -> Text:
    """Say how much there is: partitions belong to their table, views hold no rows."""
    tables = [
        table
        for table in catalog.tables
        if not table.is_partition and table.kind in (TableKind.TABLE, TableKind.PARTITIONED)
    ]
    schemas = {table.schema for table in tables}
    return Text.assemble(
        ("The sample database: ", "bold"),
        f"{len(schemas)} schemas, {len(tables)} tables, {len(catalog.foreign_keys)} foreign keys\n",
    )


def _agrees(found: Report, answer: AnswerKey, console: Console) -> bool:
    """Show what was planted beside what was found, and whether they agree."""
    reported = [
        (run.check, run.subject, str(finding.severity), finding.count) for run, finding in found.findings
    ]
    comparison = answer.compare(reported)
    console.print(Text("What was planted, and whether it was found:\n", style="bold"))
    for one in answer.expected():
        missed = one in comparison.missed
        mark = Text("missed ", style="bold red") if missed else Text("found  ", style="green")
        console.print(mark + f"{one.count:>4}  {one.check:<13} {one.subject}", soft_wrap=True)
        console.print(Text(f"             {one.fault}", style="dim"), soft_wrap=True)
    for check, subject, severity, count in comparison.unplanted:
        console.print(Text(f"not planted: {severity} {check} {subject} ({count})", style="bold red"))
    if comparison:
        verdict = (
            f"all {len(answer.expected())} planted faults were found with their exact counts, and no other"
        )
        console.print(Text(f"\n{verdict}", style="bold green"), soft_wrap=True)
    return bool(comparison)
