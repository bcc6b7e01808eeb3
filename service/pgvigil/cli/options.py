"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
