"""What the tests put into the store: runs as the daemon records them, at moments told in minutes ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pgvigil.check import Finding, JsonValue, Outcome, Severity
from pgvigil.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pgvigil.store import Store

NOW = datetime(2031, 5, 6, 3, 0, tzinfo=UTC)
HOSTILE = '<script>document.title="owned"</script>"\'--'
PAIR = "curated.enhanced_games <> curated.games_complete"
# Rows as the check of two tables gives them: what differs, what is on one side only, NULL and empty texts.
DRIFT: tuple[Mapping[str, JsonValue], ...] = (
    {
        "igdb_id": 1017,
        "drift": "changed",
        "differing": {
            "release_title": {"left": "Tetris", "right": "Tetris "},
            "quality_score": {"left": "7.50", "right": None},
            "summary": {"left": "", "right": "falling blocks " * 10},
        },
    },
    {"igdb_id": 1018, "drift": "left_only"},
    {"igdb_id": None, "drift": "right_only"},
    {"igdb_id": 1019, "drift": "changed", "differing": {"x" * 63: {"left": "y" * 200, "right": "z"}}},
)
RELATION = "analytics.events_{}(game_id) -> curated.games_complete(id)"


class FixedClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


def finding(
    title: str = "rows whose game does not exist",
    severity: Severity = Severity.CRITICAL,
    count: int = 17,
    sample: tuple[Mapping[str, JsonValue], ...] = ({"game_id": 4711}, {"game_id": None}),
) -> Finding:
    return Finding(
        code="orphans",
        severity=severity,
        title=title,
        count=count,
        remedy="Insert the games. Else delete the orphans:\n    BEGIN;\n    DELETE …;\n    COMMIT;",
        evidence_sql="SELECT game_id FROM analytics.events WHERE game_id < 0\nORDER BY 1",
        sample=sample,
        details={"left_only": 3, "changed_by_column": {"title": 4}, "tables": ["a", "b"], "newer": None},
    )


def run(
    subject: str,
    outcome: Outcome,
    *findings: Finding,
    target: str = "games",
    check: str = "orphan_rows",
    minutes: float = 3,
    confirm: int = 1,
    error: str | None = None,
) -> Run:
    ended = NOW - timedelta(minutes=minutes)
    return Run(
        target=target,
        check=check,
        subject=subject,
        outcome=outcome,
        started_at=ended - timedelta(seconds=1),
        finished_at=ended,
        duration_seconds=0.42,
        rows_examined=12_345,
        strategy="hash anti-join",
        findings=findings,
        confirm=confirm,
        error=error,
    )


def failed(subject: str, severity: Severity = Severity.CRITICAL, **of_run: float) -> Run:
    confirm = int(of_run.pop("confirm", 1))
    return run(subject, Outcome.FAIL, finding(severity=severity), confirm=confirm, **of_run)  # type: ignore[arg-type]


def discovered(
    store: Store, *subjects: str, target: str = "games", check: str = "orphan_rows", every: float = 300
) -> None:
    store.record_target(target, up=True, at=NOW, server_version="18.1")
    store.sync_subjects(target, check, subjects, NOW, every)


def sound(store: Store, subjects: int = 3) -> None:
    """Every subject passed a moment ago."""
    names = [RELATION.format(number) for number in range(subjects)]
    discovered(store, *names)
    for name in names:
        store.record(run(name, Outcome.PASS))


def crowded(store: Store) -> None:
    """A bad night: every state of subjects, incidents and targets, in two targets."""
    names = [RELATION.format(number) for number in range(30)]
    discovered(store, *names, HOSTILE)
    discovered(store, PAIR, check="table_drift")
    for number, name in enumerate(names):
        if number < 6:
            store.record(failed(name, list(Severity)[number % 2], minutes=5 + number))
        elif number < 10:
            store.record(run(name, Outcome.TIMEOUT, error="canceling statement due to statement timeout"))
        elif number < 28:
            store.record(run(name, Outcome.PASS))
    note = finding("referencing columns have no index", Severity.INFO, 1)
    store.record(run(names[27], Outcome.PASS, note))
    store.record(run(PAIR, Outcome.FAIL, finding(sample=DRIFT), check="table_drift", confirm=2))
    hostile = finding(HOSTILE, Severity.WARNING, sample=({HOSTILE: HOSTILE},))
    store.record(run(HOSTILE, Outcome.FAIL, hostile))
    _down(store)
    acknowledged, muted = store.incidents()[:2]
    store.acknowledge(acknowledged.id, who="anna", at=NOW, note="on it")
    store.mute(muted.id, who="béla", at=NOW, until=NOW + timedelta(hours=2), reason="migration")


def ended(store: Store) -> None:
    """Let incidents of the target `old` end in each way, the last one a minute ago."""
    discovered(store, "healed", "vanished", "unconfirmed", target="old")
    for subject, confirm in (("healed", 1), ("vanished", 1), ("unconfirmed", 2)):
        store.record(failed(subject, target="old", minutes=60, confirm=confirm))  # type: ignore[arg-type]
    store.record(run("unconfirmed", Outcome.PASS, target="old", minutes=30))
    store.sync_subjects("old", "orphan_rows", ["healed"], NOW - timedelta(minutes=20), 300)
    store.record(run("healed", Outcome.PASS, target="old", minutes=1))


def _down(store: Store) -> None:
    """Add a target whose last run could not reach it, after one that saw a fault."""
    subjects = ("kasse.buchung(konto) -> kasse.konto(id)", "kasse.beleg(konto) -> kasse.konto(id)")
    discovered(store, *subjects, target="kasse-ü")
    store.record(run(subjects[0], Outcome.FAIL, finding(), target="kasse-ü", minutes=60))
    store.record(run(subjects[1], Outcome.PASS, target="kasse-ü", minutes=60))
    error = "connection to server failed: Connection refused"
    store.record_target("kasse-ü", up=False, at=NOW, error=error)
    for subject in subjects:
        store.record(run(subject, Outcome.ERROR, target="kasse-ü", minutes=1, error=error))
