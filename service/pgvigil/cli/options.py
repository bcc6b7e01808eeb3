"""The options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer


class FileKind(StrEnum):
    """What a file is that relations are imported from: as pgvigil.imports has it, which loads slowly."""

    DBT = "dbt"
    LOOSE_FOREIGN_KEYS = "loose-foreign-keys"

    @property
    def word(self) -> Literal["dbt", "loose-foreign-keys"]:
        """The kind as pgvigil.imports writes it."""
        return "dbt" if self is FileKind.DBT else "loose-foreign-keys"


ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="Configuration file (YAML); else $PGVIGIL_CONFIG."),
]
DsnOption = Annotated[
    str | None,
    typer.Option(
        "--dsn",
        metavar="DSN",
        help="libpq connection string or URI; else $PGVIGIL_DSN. Without --config everything is discovered; "
        "with it, its one target is reached there instead.",
    ),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target", "-t", metavar="NAME", help="Which target of the configuration, if it has several."
    ),
]
UrlOption = Annotated[
    str, typer.Option("--url", metavar="URL", envvar="PGVIGIL_URL", help="Where pgvigil serves.")
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", metavar="FILE", help="Holds a token of the scope write; else $PGVIGIL_TOKEN."
    ),
]
CaFileOption = Annotated[
    Path | None,
    typer.Option("--ca-file", metavar="FILE", help="Certificates to trust instead of the system's."),
]
WatchedOption = Annotated[
    str | None, typer.Option("--target", "-t", metavar="NAME", help="Which target, if it watches several.")
]
ImportOption = Annotated[
    tuple[FileKind, Path] | None,
    typer.Option(
        "--import",
        metavar="KIND FILE",
        help="Puts in force what is written down elsewhere: `dbt` (manifest.json or schema.yml) or "
        "`loose-foreign-keys` (GitLab's file).",
    ),
]
AdoptOption = Annotated[
    float | None,
    typer.Option(
        "--adopt",
        metavar="PROBABILITY",
        help="From 0.5 to 1: your word that what is inferred with at least this probability is right. It is "
        "in force unseen, and what of it is wrong will page.",
    ),
]
DEFAULT_URL = "http://127.0.0.1:9925"
