"""The groups of commands: `pgvigil config`, `deployment` and `slot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
)

config_app = typer.Typer(
    help="Validate a configuration file, or print its JSON Schema.", no_args_is_help=True
)
deployment_app = typer.Typer(help="Tell a running daemon of deployments.", no_args_is_help=True)
slot_app = typer.Typer(
    help="Show or drop the slot of a target with `changes: logical`.",
    no_args_is_help=True,
)


@config_app.command("check")
@one_line_errors
def config_check_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file.")],
    connect: Annotated[
        bool, typer.Option("--connect", help="Also compare it with the databases that it names.")
    ] = False,
) -> None:
    """Validate a configuration file; every error with its line and path.

    Exit status: 0 no error, though there may be warnings; 2 wrong usage or configuration; 3 a database did
    not answer. With --connect it is an error that the role may not read a table that settings name, and a
    warning that it may not read others, which are watched and show as unknown.
    """
    from pgvigil.cli import configuration

    configuration.check(file, connect=connect)


@config_app.command("schema")
@one_line_errors
def config_schema_command() -> None:
    """Print the JSON Schema of a configuration file, for editors and CI."""
    from pgvigil.cli import configuration

    configuration.schema()


@deployment_app.command("mark")
@one_line_errors
def deployment_mark_command(
    version: Annotated[str, typer.Option("--version", metavar="VERSION", help="What was deployed.")],
    target: Annotated[
        str | None, typer.Option("--target", "-t", metavar="NAME", help="Where; all targets if absent.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When, such as 2031-05-06T03:00:00Z; now if absent."),
    ] = None,
    examine: Annotated[
        bool, typer.Option("--examine/--no-examine", help="Whether the target is examined at once.")
    ] = True,
    url: UrlOption = DEFAULT_URL,
    token_file: TokenFileOption = None,
    ca_file: CaFileOption = None,
) -> None:
    """Tell that a version was deployed.

    What is first seen from then on counts as new. Telling it again with the same --at records it once.
    """
    from pgvigil.cli import calling, deployment

    daemon = calling.Daemon(url, token_file, ca_file)
    deployment.mark(deployment.Request(daemon, version, target, at, examine))


@slot_app.command("show")
@one_line_errors
def slot_show_command(config: ConfigOption = None, dsn: DsnOption = None, target: TargetOption = None) -> int:
    """Show the slot and what it keeps, or why there can be none.

    Slots of pgvigil's on the same server that belong to no target are listed, too. Exit status 2 when there
    can be none although the target is watched with `changes: logical`.
    """
    from pgvigil.cli import slot

    return slot.show(config, dsn, target)


@slot_app.command("drop")
@one_line_errors
def slot_drop_command(
    config: ConfigOption = None,
    dsn: DsnOption = None,
    target: TargetOption = None,
    name: Annotated[
        str | None,
        typer.Option("--slot", metavar="SLOT", help="One that `slot show` lists as of no target, instead."),
    ] = None,
) -> None:
    """Drop the slot: the server keeps nothing for pgvigil any more.

    A daemon that still watches with `changes: logical` makes a new one. Exit status: 0 it is gone, or there
    was none; 2 the server has no slot of the name that was given; 3 it did not answer, or keeps the slot.
    """
    from pgvigil.cli import slot

    slot.drop(config, dsn, target, name)
