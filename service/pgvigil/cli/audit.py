"""`pgvigil audit`: what a target holds, on stdout or in a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from pgvigil import logs
from pgvigil.adoption import complaining, with_adopted
from pgvigil.assembly import build_watch
from pgvigil.audit import Audit
from pgvigil.audit.build import build_audit
from pgvigil.audit.compare import compared
from pgvigil.audit.decided import Decided
from pgvigil.audit.dot import to_dot
from pgvigil.audit.jsons import json_parts
from pgvigil.audit.markdown import to_markdown
from pgvigil.audit.mermaid import to_mermaid
from pgvigil.cli import source
from pgvigil.cli.calling import Daemon
from pgvigil.cli.decisions import Decisions, in_words
from pgvigil.cli.interrupt import Interruption, interruptible
from pgvigil.cli.output import reader_may_leave
from pgvigil.cli.progress import progress_bar
from pgvigil.errors import TargetError, UsageError
from pgvigil.registry import Registry
from pgvigil.watch import Watch

_UNFINISHED = "the audit was not finished"

Format = Literal["text", "markdown", "html", "json", "mermaid", "dot"]


_MAP_ALONE: tuple[Format, ...] = ("mermaid", "dot")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line; `compare` is an earlier audit's JSON.

    Of the proposals of a `daemon` the audit knows what people decided.
    """

    config: Path | None
    dsn: str | None
    target: str | None
    format: Format
    output: Path | None
    compare: Path | None
    sampling: bool
    daemon: Daemon | None = None


def run(request: Request) -> None:
    """Audit and report.

    Raises UsageError about a file that cannot be read or written, and as `Daemon.get` does.
    """
    logs.configure("error", "auto")
    if request.compare is not None and request.format in _MAP_ALONE:
        raise UsageError(f"--compare: {request.format} is the map alone, and tells of no changes")
    earlier = None if request.compare is None else _text_of(request.compare)
    audit = _audited(request)
    if earlier is not None:
        try:
            audit = compared(audit, earlier)
        except ValueError as error:
            raise UsageError(f"--compare {request.compare}: {error}") from None
    _write(audit, request)


def _audited(request: Request) -> Audit:
    watch, decided = _watch(request)
    interruption = Interruption()
    try:
        # What a plugin prints must not end up in the report.
        with (
            progress_bar() as progress,
            redirect_stdout(sys.stderr),
            interruptible(watch.stop) as interruption,
        ):
            audit = build_audit(
                watch, sampling=request.sampling, decided=decided, progress=progress or _nobody
            )
    except TargetError as error:
        raise interruption.error(_UNFINISHED) or error from error
    finally:
        watch.target.close()
    if interrupted := interruption.error(_UNFINISHED):
        raise interrupted
    return audit


def _watch(request: Request) -> tuple[Watch, Decided]:
    """Return the target, with what was adopted among its settings, and what was decided."""
    registry = Registry.load()
    file, dsn = source.named(request.config, request.dsn)
    if request.daemon is None:
        config = source.read(file, dsn, target=request.target)
        return build_watch(config, source.choose(config, request.target), registry, urgent=True), Decided()
    # Of a DSN alone `--target` says which of the daemon's targets it is.
    config = source.read(file, dsn, target=None if file is None else request.target)
    name = source.choose(config, None if file is None else request.target)
    decisions = Decisions.of(request.daemon, request.target if file is None else name)
    adopted = decisions.adopted()
    complain = complaining(config.error_at, config, adopted)
    watched = with_adopted(config, name, adopted, registry)
    decided = Decided({one.subject: in_words(one) for one in adopted}, decisions.hold)
    return build_watch(watched, name, registry, urgent=True, complain=complain), decided


def _nobody(_step: str, _done: float, _total: int) -> None:
    """Tell nobody: stderr is no terminal."""


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no JSON"
        raise UsageError(f"--compare {file}: {reason}") from None


def _html(audit: Audit) -> Iterator[str]:
    # Graphviz and Jinja are for this format alone: the others need not wait for them.
    from pgvigil.audit import html  # noqa: PLC0415 -- loaded only when it is asked for

    yield f"{html.render(audit)}\n"


_WRITERS: dict[Format, Callable[[Audit], Iterable[str]]] = {
    "markdown": lambda audit: (to_markdown(audit),),
    "html": _html,
    "json": json_parts,
    "mermaid": lambda audit: (to_mermaid(audit),),
    "dot": lambda audit: (to_dot(audit),),
}


def _write(audit: Audit, request: Request) -> None:
    if request.output is None:
        with reader_may_leave():
            _write_to(sys.stdout, audit, request.format)
        return
    try:
        with request.output.open("w", encoding="utf-8") as file:
            _write_to(file, audit, request.format)
    except OSError as error:
        raise UsageError(f"--output {request.output}: {error.strerror}") from None


def _write_to(file: TextIO, audit: Audit, output: Format) -> None:
    if output != "text":
        file.writelines(_WRITERS[output](audit))
        return
    from pgvigil.cli.audit_text import print_text  # noqa: PLC0415 -- rich is for what people read
    from pgvigil.cli.paper import Paper  # noqa: PLC0415 -- rich is for what people read

    print_text(audit, Paper(file))
