"""The shipped files are whole: every alert says what it must, is shown to work, and has a runbook."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.alerts.conftest import ALERTMANAGER
from tests.alerts.rules import ROOT, RULES, Rule, alerting, alerts, groups, recorded
from tests.alerts.scenario import Proof
from tests.alerts.scenarios import ALL
from tests.background import program

FINAL = """
    PgvigilOrphanRows PgvigilForeignKeyNotProtecting PgvigilForeignKeyNote PgvigilDriftAboveBudget
    PgvigilDriftGrowing PgvigilCheckFailing PgvigilNewViolationsSinceDeployment PgvigilCoverageUnknown
    PgvigilCheckNotCompleting PgvigilResultStale PgvigilNothingExamined PgvigilTargetDown PgvigilDown
    PgvigilTicksMissed PgvigilStoreTrouble PgvigilResultsLost PgvigilNoLeader PgvigilConfigReloadFailed
    PgvigilNotificationsFailing PgvigilIntegrityBudgetBurningFast PgvigilIntegrityBudgetBurningSlow
    PgvigilWatchdog PgvigilPausesLong PgvigilWindowTooShort PgvigilSlotFallsBehind PgvigilChangesNotInForce
    PgvigilStandbyNotRead
""".split()
INCIDENTS = {
    "PgvigilOrphanRows",
    "PgvigilForeignKeyNotProtecting",
    "PgvigilForeignKeyNote",
    "PgvigilDriftAboveBudget",
    "PgvigilCheckFailing",
}
# What always fires neither stays silent nor resolves.
NEVER_SILENT = {"PgvigilWatchdog"}
DASHBOARDS = {"pgvigil-overview", "pgvigil-relations", "pgvigil-drift", "pgvigil-self"}
HEADINGS = ["Meaning", "How bad", "Look", "Fix", "Undo", "Over when"]
RUNBOOKS = ROOT / "docs/runbooks"
TEMPLATE = re.compile(r"\{\{")


def name_of(rule: Rule) -> str:
    return str(rule["alert"])


def test_the_alerts_are_those_that_others_rely_on() -> None:
    assert alerts() == sorted(FINAL)


def test_promtool_finds_the_rules_correct() -> None:
    command = [program("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_amtool_finds_the_configuration_correct() -> None:
    command = [program("amtool"), "check-config", str(ALERTMANAGER / "alertmanager.yml")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "1 templates" in answer.stdout


@pytest.mark.parametrize("alert", alerts())
def test_every_alert_is_shown_to_fire_to_stay_silent_to_resolve_and_to_survive_a_gap(alert: str) -> None:
    scenarios = [one for one in ALL if one.alert == alert]
    shown = {proof for one in scenarios for proof in one.proves}
    assert shown == {Proof.FIRES, Proof.SURVIVES} if alert in NEVER_SILENT else set(Proof)
    for one in scenarios:
        counts = list(one.firing.values())
        if Proof.FIRES in one.proves or Proof.RESOLVES in one.proves:
            assert any(counts), one.id
        if Proof.RESOLVES in one.proves:
            assert counts[-1] == 0, one.id
        if Proof.SURVIVES in one.proves:
            assert any("stale" in values for series in one.series for values in series.values()), one.id


@pytest.mark.parametrize("alert", alerts())
def test_every_alert_is_compared_to_the_letter_once(alert: str) -> None:
    assert any(one.annotations and one.labels for one in ALL if one.alert == alert)


@pytest.mark.parametrize("rule", alerting(), ids=name_of)
def test_an_alert_says_what_it_must(rule: Rule) -> None:
    annotations, name = rule["annotations"], name_of(rule)
    assert not TEMPLATE.search(annotations["summary"])
    assert annotations["description"] != annotations["summary"]
    assert annotations["runbook_url"] == f"https://pgvigil.example.org/runbooks/{name}"
    (dashboard,) = re.findall(r"^https://grafana\.example\.org/d/([\w-]+)", annotations["dashboard_url"])
    assert dashboard in DASHBOARDS
    if name in INCIDENTS:
        # The incident's own severity comes with the series, and it is confirmed already.
        assert "severity" not in rule.get("labels", {})
        assert "for" not in rule
        assert annotations["incident_url"].startswith("https://pgvigil.example.org/incidents?target=")
    else:
        assert rule["labels"]["severity"] in {"critical", "warning", "none"}


@pytest.mark.parametrize("rule", alerting(), ids=name_of)
def test_values_in_addresses_are_escaped(rule: Rule) -> None:
    for name in ("dashboard_url", "incident_url"):
        for value in re.findall(r"\{\{(.*?)\}\}", rule["annotations"].get(name, "")):
            assert value.endswith("| urlquery "), value


def test_recorded_series_are_named_as_prometheus_advises_and_each_is_recorded_once() -> None:
    assert len(recorded()) == len(set(recorded()))
    for name in recorded():
        assert re.fullmatch(r"[a-z_]+:[a-z_0-9]+:[a-z_0-9]+", name), name


def test_what_is_recorded_is_used_and_what_is_used_is_recorded() -> None:
    expressions = " ".join(rule["expr"] for group in groups() for rule in group["rules"])
    used = set(re.findall(r"\b[a-z_]+:[a-z_0-9]+:[a-z_0-9]+\b", expressions))
    # For dashboards: what is left of the budget.
    assert used | {"target:pgvigil_integrity_budget:remaining"} == set(recorded())


@pytest.mark.parametrize("alert", alerts())
def test_every_alert_has_a_runbook_in_the_same_form(alert: str) -> None:
    text = (RUNBOOKS / f"{alert}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {alert}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    for section in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        assert section.strip()


def test_the_index_of_the_runbooks_has_them_all() -> None:
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\]\((Pgvigil\w+)\.md\)", index)) == alerts()
    assert sorted(page.stem for page in RUNBOOKS.glob("Pgvigil*.md")) == alerts()


def test_addresses_are_replaced_by_the_commands_of_the_documentation(tmp_path: Path) -> None:
    page = (ROOT / "docs/howto/alerting.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    (sed -i .+?)(?:\n\n|\Z)", page, re.MULTILINE | re.DOTALL)
    dashboards = sorted((ROOT / "grafana/dashboards").glob("*.json"))
    for file in (*RULES, ALERTMANAGER / "pgvigil.tmpl", *dashboards):
        copy = tmp_path / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    left = [file for file in tmp_path.rglob("*.*") if file.is_file() and "example.org" in file.read_text()]
    assert left == []
    for file in tmp_path.rglob("*.yml"):
        assert yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["alerting.md", "secure-the-web.md"])
def test_prometheus_takes_the_configurations_of_the_documentation(name: str, tmp_path: Path) -> None:
    page = (ROOT / "docs/howto" / name).read_text(encoding="utf-8")
    (text,) = [
        one
        for one in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
        if "scrape_configs" in one
    ]
    (tmp_path / "rules").symlink_to(ROOT / "deploy/prometheus")
    config = yaml.safe_load(text)
    (job,) = config["scrape_configs"]
    for file in (
        job.get("tls_config", {}).get("ca_file"),
        job.get("authorization", {}).get("credentials_file"),
    ):
        if file:
            (tmp_path / file).write_text("", encoding="utf-8")
    (tmp_path / "prometheus.yml").write_text(text, encoding="utf-8")
    command = [program("promtool"), "check", "config", str(tmp_path / "prometheus.yml")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    rules = len(RULES) if "rule_files" in config else 0
    assert len(re.findall(r"SUCCESS: \d+ rules found", answer.stdout)) == rules


def test_the_operator_gets_a_configuration_that_finds_its_template(tmp_path: Path) -> None:
    page = (ROOT / "docs/howto/deploy-kubernetes.md").read_text(encoding="utf-8")
    (command,) = re.findall(
        r"^    (sed 's\|\^templates.+?alertmanager\.yaml)$", page, re.MULTILINE | re.DOTALL
    )
    shutil.copytree(ALERTMANAGER, tmp_path / "deploy/alertmanager")
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    made = tmp_path / "alertmanager.yaml"
    text = made.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["templates"] == ["/etc/alertmanager/config/pgvigil.tmpl"]
    made.write_text(text.replace("/etc/alertmanager/config", str(ALERTMANAGER)), encoding="utf-8")
    answer = subprocess.run(
        [program("amtool"), "check-config", str(made)], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "1 templates" in answer.stdout
