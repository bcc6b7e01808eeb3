"""The groups of commands by which people decide: `pgvigil proposals` and `schema`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from pgvigil.cli.ending import one_line_errors
from pgvigil.cli.options import (
    DEFAULT_URL,
    CaFileOption,
    ConfigOption,
    DsnOption,
    TargetOption,
    TokenFileOption,
    UrlOption,
    WatchedOption,
)

proposals_app = typer.Typer(help="Adopt or reject what a running daemon proposes.", no_args_is_help=True)
schema_app = typer.Typer(
    help="Accept the schemas that a daemon watches as they are.",
    no_args_is_help=True,
)

_Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="As `pgvigil proposals list` shows them.")]
_Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Why.")]
_Format = Annotated[Literal["text", "json"], typer.Option("--format", "-f", help="Output format.")]


@proposals_app.command("list")
@one_line_errors
def proposals_list_command(
    target: WatchedOption = None,
    state: Annotated[
        Literal["proposed", "adopted", "rejected", "superseded", "all"],
        typer.Option("--state", "-s", help="Which of them."),
    ] = "proposed",
    output: _Format = "text",
    url: UrlOption = DEFAULT_URL,
    token_file: TokenFileOption = None,
    ca_file: CaFileOption = None,
) -> None:
    """List proposals with their evidence, the most probable first."""
    from pgvigil.cli import calling, proposals

    daemon = calling.Daemon(url, token_file, ca_file)
    proposals.show(daemon, target, None if state == "all" else state, output)


@proposals_app.command("adopt")
@one_line_errors
def proposals_adopt_command(
    ids: _Ids,
    note: _Note = None,
    url: UrlOption = DEFAULT_URL,
    token_file: TokenFileOption = None,
    ca_file: CaFileOption = None,
) -> int:
    """Let proposals be examined from now on, as if they were configured.

    Exit status: 0 all of them are, also those that were before; 2 one is unknown, or nothing may be decided.
    """
    from pgvigil.cli import calling, proposals

    return proposals.decide(calling.Daemon(url, token_file, ca_file), "adopt", ids, note)


@proposals_app.command("reject")
@one_line_errors
def proposals_reject_command(
    ids: _Ids,
    note: _Note = None,
    url: UrlOption = DEFAULT_URL,
    token_file: TokenFileOption = None,
    ca_file: CaFileOption = None,
) -> int:
    """Never propose them again; what was adopted is no longer examined.

    Exit status: as that of `adopt`.
    """
    from pgvigil.cli import calling, proposals

    return proposals.decide(calling.Daemon(url, token_file, ca_file), "reject", ids, note)


@proposals_app.command("import")
@one_line_errors
def proposals_import_command(
    kind: Annotated[
        Literal["dbt", "loose-foreign-keys"],
        typer.Argument(
            metavar="KIND",
            help="`dbt` (manifest.json or schema.yml), or `loose-foreign-keys` (GitLab's file).",
        ),
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    config: ConfigOption = None,
    dsn: DsnOption = None,
    target: TargetOption = None,
    adopt: Annotated[
        bool, typer.Option("--adopt/--propose", help="Whether they are examined from now on.")
    ] = True,
    url: UrlOption = DEFAULT_URL,
    token_file: TokenFileOption = None,
    ca_file: CaFileOption = None,
) -> None:
    """Adopt the relations that a team has written down elsewhere.

    They are held against the database of --config or --dsn; what does not fit is told, and left out. What
    was rejected stays rejected.
    """
    from pgvigil.cli import calling, proposals

    request = proposals.Import(kind, file, config, dsn, target, adopt)
    proposals.bring(calling.Daemon(url, token_file, ca_file), request)


@schema_app.command("list")
@one_line_errors
def schema_list_command(
    target: WatchedOption = None,
    output: _Format = "text",
    url: UrlOption = DEFAULT_URL,
    token_file: TokenFileOption = None,
    ca_file: CaFileOption = None,
) -> None:
    """List the schemas: who accepted each, and what differs or is gone.

    `as first seen` is one that nobody has accepted yet: the first look is what it is compared with.
    """
    from pgvigil.cli import calling, schema

    schema.show(calling.Daemon(url, token_file, ca_file), target, output)


@schema_app.command("accept")
@one_line_errors
def schema_accept_command(
    schemas: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SCHEMA]...", help="As `schema list` shows them; all that differ if none."),
    ] = None,
    target: WatchedOption = None,
    look: Annotated[
        bool, typer.Option("--look", help="Look first, and accept what is there now: for pipelines.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask, at a terminal, before it is accepted.")
    ] = False,
    url: UrlOption = DEFAULT_URL,
    token_file: TokenFileOption = None,
    ca_file: CaFileOption = None,
) -> None:
    """Show what differs in schemas, and accept that.

    It is what the last look saw, and what the check schema_drift compares with from now on. At a terminal you
    are asked first; what has changed since it was shown is not accepted.
    """
    from pgvigil.cli import calling, schema

    ask = sys.stdin.isatty() and not yes
    schema.accept(calling.Daemon(url, token_file, ca_file), target, schemas or (), look=look, ask=ask)
