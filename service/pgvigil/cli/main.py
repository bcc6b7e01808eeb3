"""The commands and their options.

What a command does lives in a module of its own, imported when it is called: `pgvigil version` answers at
once, whatever the others need.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated, Literal

import typer

from pgvigil import __version__
from pgvigil.cli.deciding import proposals_app, schema_app
from pgvigil.cli.ending import OneLineGroup, one_line_errors
from pgvigil.cli.groups import config_app, deployment_app, slot_app
from pgvigil.cli.options import (
    AdoptOption,
    CaFileOption,
    ConfigOption,
    DsnOption,
    ImportOption,
    TargetOption,
    TokenFileOption,
    WatchedOption,
)
from pgvigil.cli.output import open_streams

app = typer.Typer(
    name="pgvigil",
    cls=OneLineGroup,
    help="Keep watch over the integrity of PostgreSQL databases.",
    epilog="Exit status: 0 clean, 1 findings, 2 wrong usage or configuration, 3 something was not examined.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(config_app, name="config")
app.add_typer(deployment_app, name="deployment")
app.add_typer(proposals_app, name="proposals")
app.add_typer(schema_app, name="schema")
app.add_typer(slot_app, name="slot")


def main() -> None:
    """Run the command line and exit."""
    open_streams()
    app(prog_name="pgvigil")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pgvigil {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command("run")
@one_line_errors
def run_command(
    config: ConfigOption = None,
    dsn: DsnOption = None,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="State store, instead of the configuration's [sqlite:///pgvigil.db]."
        ),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Where to listen, instead of the configuration's [127.0.0.1:9925]."
        ),
    ] = None,
) -> int:
    """Run the daemon: schedule, checks, metrics, console."""
    from pgvigil.cli import daemon, source

    return daemon.run(lambda: source.read(config, dsn, state=state, listen=listen))


@app.command("check")
@one_line_errors
def check_command(
    config: ConfigOption = None,
    dsn: DsnOption = None,
    target: TargetOption = None,
    check: Annotated[
        list[str] | None, typer.Option("--check", metavar="NAME", help="Only this check; may be repeated.")
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            "--subject", metavar="GLOB", help="Only subjects that match (`*`, `?`); may be repeated."
        ),
    ] = None,
    output: Annotated[
        Literal["text", "json", "junit"],
        typer.Option("--format", "-f", help="Format of the report on stdout."),
    ] = "text",
    fail_on: Annotated[
        Literal["critical", "warning", "info"],
        typer.Option("--fail-on", help="The least severity that makes the exit status 1."),
    ] = "warning",
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Add to each finding of the text the SQL that shows it.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add to the text how each subject was examined, and why so.")
    ] = False,
) -> int:
    """Examine a target once, now; report and exit.

    Exit status: 0 everything examined and clean; 1 findings at or above --fail-on; 2 wrong usage or
    configuration; 3 something could not be examined and nothing worse was found; 130 interrupted by Ctrl-C,
    143 by SIGTERM: the report is of what was judged by then.
    """
    from pgvigil.cli import sweep

    return sweep.run(
        sweep.Request(
            config,
            dsn,
            target,
            tuple(check or ()),
            tuple(subject or ()),
            output,
            fail_on,
            evidence,
            explain,
        )
    )


@app.command("audit")
@one_line_errors
def audit_command(
    config: ConfigOption = None,
    dsn: DsnOption = None,
    target: TargetOption = None,
    output: Annotated[
        Literal["text", "markdown", "html", "json", "mermaid", "dot"],
        typer.Option("--format", "-f", help="Format of the audit."),
    ] = "text",
    file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where it is written to, instead of stdout."),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            "--compare",
            metavar="OLD.json",
            help="An earlier audit in the format json: what changed since is told as well.",
        ),
    ] = None,
    sampling: Annotated[
        bool,
        typer.Option(
            "--sampling/--no-sampling",
            help="Whether rows are read: samples for proposals, and all of small tables for rows without a "
            "parent.",
        ),
    ] = True,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="A running pgvigil: what was adopted there is on the map as if it were configured, and what "
            "was rejected is not proposed again.",
        ),
    ] = None,
    token_file: TokenFileOption = None,
    ca_file: CaFileOption = None,
) -> None:
    """Tell what a target holds, and what refers to what.

    Inventory, map of relations, fragmentation, entity pairs, indexes to mind, and what is unknown.

    An audit judges nothing: pgvigil check and the daemon do. What could not be looked at is listed as
    unknown. Exit status: 0 the audit was made, whatever it tells; 2 wrong usage or configuration, or a file
    that cannot be read or written; 3 the target could not be read; 130 interrupted by Ctrl-C, 143 by SIGTERM.
    """
    # Records are made by the hundred thousand, none in a cycle: to look for some takes a third of the time.
    gc.disable()
    from pgvigil.cli import audit, calling

    daemon = calling.Daemon(url, token_file, ca_file) if url is not None else None
    audit.run(audit.Request(config, dsn, target, output, file, compare, sampling, daemon))


@app.command("demo")
@one_line_errors
def demo_command(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the console; 0 takes a free one.")
    ] = 9925,
    once: Annotated[bool, typer.Option("--once", help="One sweep and its report, then exit.")] = False,
    scale: Annotated[
        int, typer.Option(min=1, max=2000, help="Size of the sample; 1 is about 48 thousand rows.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="Another seed is another sample.")] = 1,
    pg: Annotated[
        Path | None,
        typer.Option("--pg-bindir", metavar="DIR", help="PostgreSQL's programs; the newest found if absent."),
    ] = None,
) -> int:
    """Watch a sample database whose faults come and go.

    It lives on a PostgreSQL server of its own, on a free loopback port; nothing is left behind.
    """
    from pgvigil.cli import demo
    from pgvigil.demo import Settings

    settings = Settings(scale=scale, seed=seed, bindir=pg)
    return demo.once(settings) if once else demo.run(settings, port)


@app.command("checks")
@one_line_errors
def checks_command(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One check, with its settings.")
    ] = None,
    output: Annotated[
        Literal["text", "json"], typer.Option("--format", "-f", help="Output format.")
    ] = "text",
) -> None:
    """Show the installed checks and what each proves."""
    from pgvigil.cli import checks

    checks.show(name, output)


@app.command("init")
@one_line_errors
def init_command(
    dsn: Annotated[
        str | None,
        typer.Option(
            "--dsn",
            metavar="DSN",
            help="libpq connection string or URI of what is discovered; else $PGVIGIL_DSN.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A new file, instead of stdout.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="A running pgvigil: of its proposals, what was adopted is in force.",
        ),
    ] = None,
    target: WatchedOption = None,
    token_file: TokenFileOption = None,
    ca_file: CaFileOption = None,
    brought: ImportOption = None,
    adopt: AdoptOption = None,
) -> None:
    """Write a commented configuration file to start from.

    With --dsn it is made from what is discovered there, by samples of rows too: relations and entity pairs
    that nobody declared are commented out, the likeliest first, with the probability and the evidence. None
    of them is watched before a person has adopted it: in the file, in a running pgvigil (--url), in a file of
    another tool (--import), or unseen, by --adopt.
    """
    from pgvigil.cli import calling, configuration

    daemon = calling.Daemon(url, token_file, ca_file) if url is not None else None
    file = None if brought is None else (brought[0].word, brought[1])
    configuration.init(dsn, output, daemon, target, file, adopt)


@app.command("grants")
@one_line_errors
def grants_command(
    role: Annotated[str, typer.Option(metavar="NAME", help="Name of the role.")] = "pgvigil",
    config: ConfigOption = None,
    dsn: DsnOption = None,
    target: TargetOption = None,
) -> None:
    """Print the SQL of a least-privilege role for pgvigil.

    With --dsn or --config the grants are those of the tables that are watched there; otherwise they cover a
    whole cluster.
    """
    from pgvigil.cli import configuration

    configuration.show_grants(role, config, dsn, target)


@app.command("version")
@one_line_errors
def version_command() -> None:
    """Show the version."""
    typer.echo(f"pgvigil {__version__}")
