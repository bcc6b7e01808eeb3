"""The demo: the sample database in its crisis, on a PostgreSQL server of its own, and how it is watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from pgvigil.config import Config, load
from pgvigil.embedded import guarded_directory, serve
from pgvigil.sample import AnswerKey, build, configuration, plant_crisis

DATABASE = "games"


@dataclass(frozen=True, slots=True)
class Settings:
    """Which sample, and on which PostgreSQL: `bindir` holds its programs, the newest found when None."""

    scale: int = 1
    seed: int = 1
    bindir: Path | None = None


@dataclass(frozen=True, slots=True)
class Demo:
    """A running sample: its DSN, how its team would have it watched, and what was broken in it."""

    dsn: str
    config: Config
    answer: AnswerKey


@contextmanager
def prepared(
    settings: Settings, tell: Callable[[str], None], *, listen: str = "127.0.0.1:0", every: str = "10s"
) -> Iterator[Demo]:
    """Start a server, build the sample on it and plant the crisis; remove everything at the end.

    `tell` hears a line for every step. Raises EmbeddedError when no server can be had.
    """
    tell("starting a PostgreSQL server")
    with serve(bindir=settings.bindir) as server, guarded_directory() as home:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        dsn = server.dsn(DATABASE)
        build(dsn, scale=settings.scale, seed=settings.seed, progress=tell)
        tell("breaking it")
        answer = plant_crisis(dsn, seed=settings.seed)
        file = home.path / "pgvigil.yaml"
        state = f"sqlite:///{home.path}/state.db"
        file.write_text(
            configuration(dsn, name=DATABASE, state=state, listen=listen, every=every), encoding="utf-8"
        )
        yield Demo(dsn, load(file), answer)
