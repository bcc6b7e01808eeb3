"""The settings: every key of a configuration file, with its meaning, bounds and default."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    SecretStr,
    WithJsonSchema,
    model_validator,
)

from pgvigil.catalog import Scope
from pgvigil.config.dsn import Dsn
from pgvigil.config.notifying import Notify
from pgvigil.config.section import Section, nothing_is_empty
from pgvigil.config.serving import Web
from pgvigil.timing import CronField, Duration, Interval, Schedule, Scheduled, Within
from pgvigil.window import WindowField

_TARGET_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
_LEAST_RETENTION = 64 << 20
_SIZE = re.compile(r"([0-9]{1,6})(kB|MB|GB|TB)")


def _target_name(name: str) -> str:
    if not _TARGET_NAME.fullmatch(name):
        raise ValueError("expected a name of letters, digits, '_', '-' and '.', 63 of them at the most")
    return name


def _state(value: SecretStr) -> SecretStr:
    if not re.match(r"sqlite:///.|postgresql\+psycopg://.", value.get_secret_value()):
        raise ValueError("expected sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE")
    return value


StateUrl = Annotated[SecretStr, AfterValidator(_state)]
"""Where the state store is: an SQLAlchemy URL, which may hold a password."""


def _size(value: object) -> int:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a size such as 500MB or 2GB (as PostgreSQL's: 1kB is 1024 bytes)")
    return int(match[1]) << {"kB": 10, "MB": 20, "GB": 30, "TB": 40}[match[2]]


def _retention(value: object) -> int:
    # A slot keeps the WAL since the last checkpoint at the least; else it is dropped and made anew for ever.
    size = _size(value)
    if size < _LEAST_RETENTION:
        raise ValueError("is too small, as a slot keeps some WAL at any time: give it 64MB or more")
    return size


def _some_targets(targets: dict[str, TargetSettings]) -> dict[str, TargetSettings]:
    if not targets:
        raise ValueError("names no target: expected a name with a dsn below it")
    return targets


class Log(Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severity that is logged."
    )
    format: Literal["auto", "text", "json"] = Field(
        default="auto", description="`auto` is text on a terminal and JSON elsewhere."
    )


class Retention(Section):
    """What the state store keeps. Live incidents and every subject's last run stay for ever."""

    runs: Annotated[timedelta, Within(at_least="1h")] = Field(
        default=timedelta(days=30), description="How long runs are kept."
    )
    runs_per_subject: int = Field(
        default=1000, ge=1, le=1_000_000, description="How many runs of one subject are kept at the most."
    )
    incidents: Annotated[timedelta, Within(at_least="1h")] = Field(
        default=timedelta(days=400), description="How long resolved incidents are kept."
    )
    size: Annotated[
        int,
        PlainValidator(_size),
        WithJsonSchema({"type": "string", "pattern": f"^{_SIZE.pattern}$", "examples": ["500MB", "2GB"]}),
    ] = Field(
        default=1 << 30,
        description="The size above which the oldest runs go, whatever their age.",
        json_schema_extra={"default": "1GB"},
    )


class Schemas(Section):
    """Which schemas are watched. In a pattern `*` is any text, `?` one character, all else itself."""

    include: tuple[str, ...] = Field(
        default=("*",), min_length=1, description="Schemas to watch; patterns with `*` and `?`."
    )
    exclude: tuple[str, ...] = Field(
        default=(),
        description="Schemas not to watch, although included; patterns, too. `pgvigil_kept`, where remedies "
        "keep copies, is never watched.",
    )
    deprecated: tuple[str, ...] = Field(
        default=(), description="Schemas on their way out, to which nothing should refer any more."
    )


class Pause(Section):
    """When pgvigil makes way: it rests while one of these limits is exceeded; `null` is no limit."""

    active_sessions: int | None = Field(
        default=None,
        ge=0,
        le=100_000,
        description="Sessions of others, in all databases of the server, that execute something.",
    )
    lock_waits: int | None = Field(
        default=10,
        ge=0,
        le=100_000,
        description="Sessions of others that wait for a lock, on the whole server.",
    )
    replica_lag: Duration | None = Field(
        default=None, description="How far the slowest replica is behind; on a standby, itself."
    )
    oldest_snapshot: Duration | None = Field(
        default=None, description="Age of the oldest transaction of others, which VACUUM waits for."
    )
    connections_left: int | None = Field(
        default=5,
        ge=0,
        le=100_000,
        description="Pauses while fewer connections than this are left to others.",
    )
    load: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        description="Load average per CPU of the last minute; only where the server is on pgvigil's machine.",
    )
    longest: Annotated[timedelta, Within(at_least="1s")] = Field(
        default=timedelta(minutes=5),
        description="The longest pause; then it goes on for as long before it pauses again.",
    )


class Budget(Section):
    """What pgvigil may take from a target."""

    connections: int = Field(default=2, ge=1, le=100, description="Connections at the same time.")
    statement_timeout: Annotated[timedelta, Within(at_least="1ms", at_most="24d")] = Field(
        default=timedelta(seconds=30), description="The longest that one statement may take."
    )
    lock_timeout: Annotated[timedelta, Within(at_least="1ms", at_most="24d")] = Field(
        default=timedelta(seconds=1), description="The longest that a statement may wait for a lock."
    )
    duty_cycle: float = Field(
        default=0.2,
        gt=0,
        le=1,
        description="Share of the time in which a connection may be busy; a rest ends after a minute.",
    )
    chunk: Annotated[timedelta, Within(at_least="1ms", at_most="1m")] | None = Field(
        default=timedelta(milliseconds=20),
        description="How long one chunk should take where a check scans in chunks, each in a "
        "short snapshot of its own and followed by a rest. With `null` a scan is one snapshot, however "
        "long: the least work, but VACUUM removes nothing meanwhile that died since.",
    )
    window: WindowField | None = Field(
        default=None,
        description="Time of day, in UTC, out of which no tick begins and scans in chunks are broken off.",
    )
    pause: Pause = Field(default_factory=Pause, description="When pgvigil makes way for others.")
    sample: int = Field(default=20, ge=0, le=1000, description="Sample keys in a finding at the most.")

    @property
    def chunk_seconds(self) -> float | None:
        """How long a chunk should take; None where a scan is one snapshot."""
        return None if self.chunk is None else self.chunk.total_seconds()


class StandbySettings(Section):
    """A hot standby that is read instead of the target, once it has replayed what the target had written."""

    dsn: Dsn = Field(
        description="libpq connection string or URI of the standby; best `!env NAME` or `!file PATH`."
    )
    max_lag: Annotated[timedelta, Within(at_least="0s", at_most="1h")] = Field(
        default=timedelta(seconds=30),
        description="How long a tick waits for the standby to replay what the primary has written.",
    )
    fallback: Literal["primary", "none"] = Field(
        default="primary",
        description="Who is read where the standby cannot be; with `none` the subjects are unknown then.",
    )


class TargetSettings(Scheduled, Section):
    """One database that is watched."""

    dsn: Dsn = Field(description="libpq connection string or URI; best `!env NAME` or `!file PATH`.")
    standby: StandbySettings | None = Field(
        default=None, description="A hot standby of it, of which rows are read instead of the primary's."
    )
    every: Interval = Field(default=timedelta(minutes=5), description="Interval between two sweeps.")
    cron: CronField | None = Field(
        default=None, description="Schedule in cron's five fields, in UTC, instead of `every`."
    )
    schemas: Schemas = Field(default_factory=Schemas, description="Which schemas are watched.")
    zones: tuple[str, ...] = Field(
        default=(), description="Schemas by the order in which data moves through them, such as raw, curated."
    )
    budget: Budget = Field(default_factory=Budget, description="What pgvigil may take from the target.")
    changes: Literal["position", "logical", "none"] = Field(
        default="position",
        description="How it is known that nothing was written, so that a result still stands: by the "
        "server's position in its WAL, or not at all. With `logical` a replication slot also tells what was "
        "written, and only that is looked at again.",
    )
    slot_retention: Annotated[
        int,
        PlainValidator(_retention),
        WithJsonSchema({"type": "string", "pattern": f"^{_SIZE.pattern}$", "examples": ["500MB", "2GB"]}),
    ] = Field(
        default=1 << 30,
        description="How much WAL the slot of `changes: logical` may keep before pgvigil drops it.",
        json_schema_extra={"default": "1GB"},
    )
    full_every: Annotated[timedelta, Within(at_least="1m")] = Field(
        default=timedelta(days=1),
        description="How long a result stands at the most before everything is looked at again.",
    )
    infer: bool = Field(
        default=True,
        description="Whether relations and entity pairs that nobody declared are looked for, once a day and "
        "after the schema changed, and proposed: none is examined, or alerts anybody, before it is adopted.",
    )
    checks: Annotated[
        dict[str, Annotated[dict[str, Any], BeforeValidator(nothing_is_empty)]],
        BeforeValidator(nothing_is_empty),
    ] = Field(
        default_factory=dict,
        description="Settings by check; others run with their defaults.",
        repr=False,  # a plugin's settings may hold secrets, and nobody knows yet which they are
    )

    @model_validator(mode="after")
    def _slot_or_standby(self) -> Self:
        if self.standby is not None and self.changes == "logical":
            # What the slot tells is known of the primary's snapshots alone.
            raise ValueError("`changes: logical` and `standby` exclude each other: leave one of them out")
        return self

    @property
    def schedule(self) -> Schedule:
        """When the checks of this target run, unless their own settings say otherwise."""
        return self.cron or self.every

    @property
    def scope(self) -> Scope:
        """What of the target is watched."""
        schemas = self.schemas
        return Scope(schemas.include, schemas.exclude, schemas.deprecated, self.zones)


class Settings(Section):
    """All that a configuration file may say."""

    state: StateUrl = Field(
        default=SecretStr("sqlite:///pgvigil.db"),
        description="Where runs and incidents are kept: `sqlite:///FILE` or `postgresql+psycopg://…`.",
    )
    web: Web = Field(
        default_factory=Web, description="Where metrics, console and API are served, and to whom."
    )
    notify: Notify = Field(
        default_factory=Notify, description="Which Alertmanagers hear of incidents from pgvigil itself."
    )
    log: Log = Field(default_factory=Log, description="What is logged, and how.")
    retention: Retention = Field(default_factory=Retention, description="What the state store keeps.")
    targets: Annotated[
        dict[Annotated[str, AfterValidator(_target_name)], TargetSettings], AfterValidator(_some_targets)
    ] = Field(description="The databases to watch, by name.", json_schema_extra={"minProperties": 1})
