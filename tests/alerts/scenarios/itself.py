"""pgvigil's own troubles: that it is gone, does not lead, cannot record, cannot tell anybody."""

from __future__ import annotations

from collections.abc import Mapping

from tests.alerts.scenario import Proof, Scenario, Series, series, target_up

JOB = {"job": "pgvigil"}


def alive(values: str, instance: str = "a:9925", version: str = "1.0") -> Series:
    return series("pgvigil_build_info", values, instance, version=version, python="3.11.7")


def scraped(values: str, instance: str = "a:9925") -> Series:
    return series("up", values, instance)


def told(alert: str, summary: str, description: str) -> Mapping[str, str]:
    return {
        "summary": summary,
        "description": description,
        "runbook_url": f"https://pgvigil.example.org/runbooks/{alert}",
        "dashboard_url": "https://grafana.example.org/d/pgvigil-self",
    }


WATCHDOG = [
    Scenario(
        "PgvigilWatchdog",
        [Proof.FIRES, Proof.SURVIVES],
        "fires always, whatever is scraped",
        [alive("1x5 stale _x20 1x10")],
        {0: 1, 5: 1, 10: 1, 30: 1},
        {"severity": "none"},
        told(
            "PgvigilWatchdog",
            "The way from Prometheus to Alertmanager works",
            "This alert always fires. When it stops to arrive, no alert arrives.",
        ),
    ),
]

DOWN = [
    Scenario(
        "PgvigilDown",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when no scrape has reached any instance of a job for two minutes, resolves when one does",
        [
            alive("1x9 stale"),
            scraped("1x9 0x9 1x40"),
            target_up("1x9 stale _x9 1x40"),
            alive("_x20 1x40", version="1.1"),
        ],
        {9: 0, 11: 0, 12: 1, 18: 1, 21: 0, 40: 0},
        JOB | {"severity": "critical"},
        told(
            "PgvigilDown",
            "Prometheus does not reach pgvigil",
            "No pgvigil of job pgvigil has answered Prometheus for two minutes, so nobody sees what it "
            "finds. Alerts of incidents stay as they were. See whether it runs, and why the scrape fails.",
        ),
    ),
    Scenario(
        "PgvigilDown",
        [Proof.FIRES],
        "a job that never was is missed as well",
        [scraped("0x10")],
        {1: 0, 2: 1, 10: 1},
        {"severity": "critical"},
        told(
            "PgvigilDown",
            "Prometheus does not reach pgvigil",
            "No pgvigil has answered Prometheus for two minutes, so nobody sees what it "
            "finds. Alerts of incidents stay as they were. See whether it runs, and why the scrape fails.",
        ),
    ),
    Scenario(
        "PgvigilDown",
        [Proof.FIRES],
        "of two that watch different targets, the one that is down is missed",
        [
            alive("1x9 stale"),
            scraped("1x9 0x20"),
            target_up("1x9 stale"),
            alive("1x30", "b:9925"),
            scraped("1x30", "b:9925"),
            target_up("1x30", "b:9925", target="shop"),
        ],
        {9: 0, 12: 1, 29: 1},
        JOB | {"severity": "critical", "target": "games"},
        told(
            "PgvigilDown",
            "Prometheus does not reach pgvigil",
            "No pgvigil of job pgvigil that watches games has answered Prometheus for two minutes, so nobody "
            "sees what it finds. Alerts of incidents stay as they were. See whether it runs, and why the "
            "scrape fails.",
        ),
    ),
    Scenario(
        "PgvigilDown",
        [Proof.FIRES, Proof.RESOLVES],
        "so is one that Prometheus no longer finds at all, for days, until somebody watches what it did",
        [
            alive("1x9 stale"),
            scraped("1x9 stale"),
            target_up("1x9 stale"),
            alive("1x2600", "b:9925"),
            scraped("1x2600", "b:9925"),
            target_up("1x2600", "b:9925", target="shop"),
            alive("_x2500 1x100", "c:9925"),
            target_up("_x2500 1x100", "c:9925"),
        ],
        {36: 0, 44: 1, 1440: 1, 1484: 1, 9996: 1, 10000: 0, 10400: 0},
        JOB | {"severity": "critical", "target": "games"},
        step=4,
    ),
    Scenario(
        "PgvigilDown",
        [Proof.FIRES],
        "of two namespaces, the one that is silent is missed for days",
        [
            series("pgvigil_build_info", "1x9 stale", namespace="prod"),
            series("pgvigil_target_up", "1x9 stale", namespace="prod", target="games"),
            series("pgvigil_build_info", "1x700", namespace="staging"),
            series("pgvigil_target_up", "1x700", namespace="staging", target="games"),
        ],
        {36: 0, 44: 1, 1440: 1, 1484: 1, 2000: 1, 2800: 1},
        JOB | {"severity": "critical", "namespace": "prod"},
        step=4,
    ),
    Scenario(
        "PgvigilDown",
        [Proof.SILENT],
        "a target that was taken out of the configuration is not missed when a replica goes down hours later",
        [
            alive("1x299 stale"),
            scraped("1x299 0x400"),
            target_up("1x299 stale"),
            target_up("1x9 stale", target="old"),
            alive("1x700", "b:9925"),
            scraped("1x700", "b:9925"),
            target_up("1x700", "b:9925"),
            target_up("1x9 stale", "b:9925", target="old"),
        ],
        dict.fromkeys(range(0, 700, 5), 0),
    ),
    Scenario(
        "PgvigilDown",
        [Proof.SILENT],
        "nor is one that new pods no longer have when the last of the old ones ends",
        [
            alive("1x9 stale"),
            target_up("1x9 stale"),
            target_up("1x9 stale", target="old"),
            alive("_x8 1x40", "b:9925"),
            target_up("_x8 1x40", "b:9925"),
        ],
        dict.fromkeys(range(48), 0),
    ),
    Scenario(
        "PgvigilDown",
        [Proof.SILENT],
        "a replica that is down is no outage while another one watches, nor is a target that is no longer "
        "configured",
        [
            alive("1x9 stale"),
            scraped("1x9 0x20"),
            target_up("1x9 stale"),
            alive("1x30", "b:9925"),
            scraped("1x30", "b:9925"),
            target_up("1x30", "b:9925"),
            target_up("1x9 stale", "b:9925", target="old"),
        ],
        dict.fromkeys(range(30), 0),
    ),
    Scenario(
        "PgvigilDown",
        [Proof.SURVIVES],
        "two scrapes that fail, or a restart with a new version, page nobody",
        [
            alive("1x9 stale"),
            scraped("1x9 0x1 1x30"),
            target_up("1x9 stale _x1 1x30"),
            alive("_x12 1x30", version="1.1"),
        ],
        dict.fromkeys(range(40), 0),
    ),
    Scenario(
        "PgvigilDown",
        [Proof.SURVIVES],
        "it goes on for days, since no scrape is what it is about",
        [alive("1x9 stale"), scraped("1x9 0x700"), target_up("1x9 stale")],
        {36: 0, 44: 1, 1000: 1, 1476: 1, 1484: 1, 2800: 1},
        step=4,
    ),
]


def leads(values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_leader", values, instance)


LEADER = [
    Scenario(
        "PgvigilNoLeader",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when all replicas stand by, resolves when one leads",
        [leads("1x9 0x9 1x10"), leads("0x30", "b:9925")],
        {9: 0, 12: 0, 13: 1, 18: 1, 20: 0, 28: 0},
        JOB | {"severity": "critical"},
        told(
            "PgvigilNoLeader",
            "No replica of pgvigil leads, nothing is examined",
            "All replicas of job pgvigil stand by. See in their logs why none gets the lock of the state "
            "store.",
        ),
    ),
    Scenario(
        "PgvigilNoLeader",
        [Proof.FIRES],
        "of a job whose replicas watch different targets, those are missed that nobody examines; also "
        "when they have lost sight of their store",
        [
            alive("1x40"),
            leads("1x40"),
            target_up("1x40"),
            *[
                each
                for one in ("b:9925", "c:9925")
                for each in (
                    alive("1x40", one),
                    leads("1x9 0x30" if one[0] == "b" else "0x40", one),
                    target_up("1x20 stale", one, target="shop"),
                    series("pgvigil_store_up", "1x20 0x20", one),
                )
            ],
        ],
        {9: 0, 13: 1, 20: 1, 22: 1, 39: 1},
        JOB | {"severity": "critical", "target": "shop"},
        told(
            "PgvigilNoLeader",
            "No replica of pgvigil leads, nothing is examined",
            "All replicas of job pgvigil that watch shop stand by. See in their logs why none gets the "
            "lock of the state store.",
        ),
    ),
    Scenario(
        "PgvigilNoLeader",
        [Proof.SILENT],
        "a change of the leader is as it should be",
        [leads("1x9 stale"), leads("0x10 1x20", "b:9925")],
        dict.fromkeys(range(30), 0),
    ),
    Scenario(
        "PgvigilNoLeader",
        [Proof.SURVIVES],
        "a scrape that failed does not resolve it",
        [leads("0x9 stale 0x10")],
        {5: 1, 10: 1, 11: 1, 20: 1},
    ),
]


def store_up(values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_store_up", values, instance)


def store_errors(values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_store_errors_total", values, instance)


STORE = [
    Scenario(
        "PgvigilStoreTrouble",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when the store of the leader has not worked for two minutes, resolves when it does",
        [store_up("1x9 0x9 1x10"), store_up("1x30", "b:9925"), leads("1x30"), leads("0x30", "b:9925")],
        {9: 0, 12: 0, 13: 1, 18: 1, 20: 0, 28: 0},
        JOB | {"severity": "critical"},
        told(
            "PgvigilStoreTrouble",
            "pgvigil cannot record what it finds",
            "The state store of job pgvigil does not take results, and what is shown may be of the past. "
            "/-/ready says "
            "why; look for a full disk, a lock or a database that is down.",
        ),
    ),
    Scenario(
        "PgvigilStoreTrouble",
        [Proof.FIRES, Proof.RESOLVES],
        "a replica that stands by and does not reach the store is a warning",
        [store_up("1x30"), leads("1x30"), store_up("1x9 0x9 1x10", "b:9925"), leads("0x30", "b:9925")],
        {9: 0, 12: 0, 13: 1, 18: 1, 20: 0, 28: 0},
        JOB | {"severity": "warning"},
        told(
            "PgvigilStoreTrouble",
            "A replica of pgvigil that stands by does not reach the state store",
            "The leader of job pgvigil works; a replica that stands by could not take over, and shows "
            "nothing. Its /-/ready says why.",
        ),
    ),
    Scenario(
        "PgvigilStoreTrouble",
        [Proof.FIRES],
        "while nobody leads, one that does not reach it is critical",
        [store_up("0x30"), leads("0x30"), store_up("1x30", "b:9925"), leads("0x30", "b:9925")],
        {5: 1, 30: 1},
        JOB | {"severity": "critical"},
    ),
    Scenario(
        "PgvigilStoreTrouble",
        [Proof.SILENT],
        "a minute of trouble passes",
        [store_up("1x9 0 0 1x20")],
        dict.fromkeys(range(30), 0),
    ),
    Scenario(
        "PgvigilStoreTrouble",
        [Proof.SURVIVES],
        "a scrape that failed does not resolve it",
        [store_up("1x4 0x5 stale 0x10")],
        {8: 1, 9: 1, 10: 1, 11: 1, 20: 1},
    ),
    Scenario(
        "PgvigilResultsLost",
        [Proof.FIRES, Proof.RESOLVES],
        "fires at the first error, resolves a quarter of an hour after the last",
        [store_errors("0x9 2x40")],
        {9: 0, 11: 1, 20: 1, 27: 0, 49: 0},
        JOB | {"severity": "warning"},
        told(
            "PgvigilResultsLost",
            "pgvigil could not record some results",
            "Errors of the state store of job pgvigil within 15 minutes: 2. The next runs make up for what "
            "was lost; find out why, before it lasts.",
        ),
    ),
    Scenario(
        "PgvigilResultsLost",
        [Proof.SILENT],
        "a restart sets the counter to zero and is no error",
        [store_errors("7x20 0x20")],
        {10: 0, 21: 0, 40: 0},
    ),
    Scenario(
        "PgvigilResultsLost",
        [Proof.SURVIVES],
        "a gap, and a restart, leave it",
        [store_errors("0x9 2x4 stale _x2 0x20")],
        {12: 1, 15: 1, 17: 1, 22: 1},
    ),
]


def reloaded(values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_config_last_reload_successful", values, instance)


RELOAD = [
    Scenario(
        "PgvigilConfigReloadFailed",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when nobody has mended the file within five minutes, resolves when it is read",
        [reloaded("1x9 0x19 1x10"), reloaded("1x40", "b:9925")],
        {10: 0, 14: 0, 16: 1, 28: 1, 30: 0, 39: 0},
        JOB | {"severity": "warning"},
        told(
            "PgvigilConfigReloadFailed",
            "pgvigil runs on an old configuration",
            "A pgvigil of job pgvigil refused the configuration that it last read and goes on with the one "
            "before; it "
            "may not start again with the new one. Run `pgvigil config check` on the file.",
        ),
    ),
    Scenario(
        "PgvigilConfigReloadFailed",
        [Proof.SILENT],
        "a slip that is mended at once is nobody's business",
        [reloaded("1x9 0x3 1x20")],
        dict.fromkeys(range(30), 0),
    ),
    Scenario(
        "PgvigilConfigReloadFailed",
        [Proof.SURVIVES],
        "minutes without scrapes do not resolve it",
        [reloaded("0x19 stale _x2 0x20")],
        {16: 1, 20: 1, 22: 1, 23: 1, 40: 1},
    ),
]


SCENARIOS = [*WATCHDOG, *DOWN, *LEADER, *STORE, *RELOAD]
