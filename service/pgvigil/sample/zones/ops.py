"""Rows of `ops`."""

from __future__ import annotations

from pgvigil.sample.table import Table
from pgvigil.sample.vocabulary import FIRST_NAMES, METRICS, SERVICES, TEAMS
from pgvigil.sample.world import STAFF

_FLAGS = tuple(f"{name}-{kind}" for name in SERVICES for kind in ("cache", "rollout"))

TABLES = (
    Table(
        "ops.staff",
        "id, login, team",
        STAFF,
        lambda w, d, i: (i, f"{FIRST_NAMES[i % len(FIRST_NAMES)]}.{i}", d.pick(TEAMS)),
        grows=False,
    ),
    Table(
        "ops.audit_log",
        "id, actor_id, action, at",
        400,
        lambda w, d, i: (i, d.skewed(STAFF), d.pick(("login", "read", "export")), d.moment()),
    ),
    # Some act who are no staff.
    Table(
        "ops.audit_log_admin",
        "id, actor_id, action, at, ticket",
        60,
        lambda w, d, i: (10**12 + i, 5_000 + d.skewed(STAFF), "drop", d.moment(), f"OPS-{i}"),
        grows=False,
    ),
    Table(
        "ops.flags",
        "name, enabled, rules",
        len(_FLAGS),
        lambda w, d, i: (_FLAGS[i - 1], d.chance(0.5), f'{{"share": {d.between(0, 100)}}}'),
        grows=False,
    ),
    Table(
        "ops.flag_changes",
        "id, flag, changed_by, changed_at",
        150,
        lambda w, d, i: (i, d.pick(_FLAGS), d.skewed(STAFF), d.moment()),
    ),
    Table(
        "ops.runbook_links",
        "service, url",
        len(SERVICES),
        lambda w, d, i: (SERVICES[i - 1], f"https://runbooks.example.com/{SERVICES[i - 1]}"),
        grows=False,
    ),
    Table(
        "ops.metric_definitions",
        "service, metric, unit",
        len(SERVICES) * len(METRICS),
        lambda w, d, i: (
            SERVICES[(i - 1) // len(METRICS)],
            METRICS[(i - 1) % len(METRICS)],
            d.pick(("1", "s", "req/s")),
        ),
        grows=False,
    ),
    Table(
        "ops.deployments",
        "id, service, version, deployed_at",
        90,
        lambda w, d, i: (i, d.pick(SERVICES), f"{d.between(1, 9)}.{d.between(0, 30)}", d.moment()),
        grows=False,
    ),
    Table(
        "ops.job_runs",
        "id, job, ran, failed",
        300,
        lambda w, d, i: (i, d.pick(("vacuum", "export", "mail")), f"[{d.moment()},)", d.chance(0.03)),
    ),
)
