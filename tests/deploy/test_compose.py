"""The compose file confines what it runs, its parts fit together, and what it sets up can be found."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from compose_spec import PyCompose
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from pgvigil.config import load
from pgvigil.grants import grants
from pgvigil.store import Store
from tests.cli.command import pgvigil
from tests.servers import by_version, required

if TYPE_CHECKING:
    from pgvigil.embedded import Server

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy/compose"
DOCUMENT = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


@pytest.fixture
def promtool() -> str:
    """Prometheus' own judge of its files."""
    if shutil.which("promtool") is None and not required():
        pytest.skip("promtool is not installed")
    return "promtool"


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """The directory of the compose file in a checkout where the script has run."""
    for folder in ("deploy", "grafana/dashboards", "grafana/provisioning"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("secrets", "linked"))
    directory = tmp_path / COMPOSE.relative_to(ROOT)
    prepare(directory)
    return directory


@pytest.fixture
def secrets(prepared: Path) -> Path:
    """The secrets, as the script makes them."""
    return prepared / "secrets"


def prepare(directory: Path) -> None:
    subprocess.run(["sh", directory / "prepare.sh"], check=True)


def mounts(service: dict[str, Any], directory: Path) -> dict[str, Path]:
    """Return what is mounted from the repository, by its place in the container."""
    parts = [volume.split(":") for volume in service.get("volumes", ())]
    return {place: (directory / source).resolve() for source, place, *_ in parts if source.startswith(".")}


def configured(secrets: Path) -> Path:
    """Return the configuration with its secrets where they lie here."""
    text = (COMPOSE / "pgvigil.yaml").read_text(encoding="utf-8")
    file = secrets.with_name("pgvigil.yaml")
    file.write_text(text.replace("/run/secrets", str(secrets)), encoding="utf-8")
    return file


def test_it_is_a_compose_file() -> None:
    # Merge keys are YAML's and Compose's, but not this parser's: it gets them merged.
    compose = PyCompose.from_yaml(yaml.safe_dump(DOCUMENT))
    assert set(compose.service_names()) == SERVICES.keys()
    with pytest.raises(ValueError, match="nonsense"):
        PyCompose.from_yaml(yaml.safe_dump(DOCUMENT | {"nonsense": 1}))


@every_service
def test_a_service_can_do_little_harm(service: dict[str, Any]) -> None:
    assert int(service["user"].partition(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    own = [volume for volume in service.get("volumes", ()) if volume.startswith(".")]
    assert all(volume.endswith(":ro") for volume in own)


@every_service
def test_a_service_is_of_one_version_and_says_how_it_is(service: dict[str, Any]) -> None:
    if "build" in service:
        context = COMPOSE / service["build"]["context"]
        assert "HEALTHCHECK" in (context / service["build"]["dockerfile"]).read_text(encoding="utf-8")
    else:
        assert re.fullmatch(r"docker\.io/\S+:v?\d+\.\d+(\.\d+)?(-\w+)?", service["image"])
        assert service["healthcheck"]["test"][0] == "CMD"


@every_service
def test_what_is_mounted_is_there(service: dict[str, Any], prepared: Path) -> None:
    assert [str(source) for source in mounts(service, prepared).values() if not source.exists()] == []
    named = {volume.split(":")[0] for volume in service.get("volumes", ()) if not volume.startswith(".")}
    assert named <= DOCUMENT["volumes"].keys()
    assert set(service.get("secrets", ())) <= DOCUMENT["secrets"].keys()


def test_each_secret_is_made_once_and_by_chance(secrets: Path) -> None:
    made = {path.name: path.read_text() for path in secrets.iterdir()}
    named = {Path(secret["file"]).relative_to("secrets").name for secret in DOCUMENT["secrets"].values()}
    assert made.keys() == named
    assert all(made.values())
    assert len(set(made.values())) == len(made)
    assert secrets.stat().st_mode & 0o777 == 0o700

    prepare(secrets.parent)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == made
    assert {"/secrets/", "/linked/"} <= set((COMPOSE / ".gitignore").read_text().splitlines())


def test_every_link_leads_to_what_listens_here(prepared: Path) -> None:
    files = [
        file
        for service in SERVICES.values()
        for source in mounts(service, prepared).values()
        for file in ([source] if source.is_file() else source.rglob("*.*"))
    ]
    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    assert [name for name, text in texts.items() if "pgvigil.example.org" in text] == []
    assert [name for name, text in texts.items() if "grafana.example.org" in text] == []
    for name, service in {
        "pgvigil.incidents.rules.yml": "pgvigil",
        "pgvigil.slo.rules.yml": "grafana",
    }.items():
        (port,) = SERVICES[service]["ports"]
        assert f"http://{port.rpartition(':')[0]}/" in texts[name]
    assert "http://127.0.0.1:9925" in texts["pgvigil-overview.json"]


def test_copies_follow_what_is_changed(prepared: Path) -> None:
    rules = prepared.parent / "prometheus"
    (rules / "pgvigil.incidents.rules.yml").unlink()
    (rules / "mine.rules.yml").write_text("groups: []\n", encoding="utf-8")
    prepare(prepared)
    copies = {file.name for file in (prepared / "linked/prometheus").iterdir()}
    assert copies == {file.name for file in rules.iterdir()}


def test_pgvigil_s_configuration_loads(secrets: Path) -> None:
    checked = pgvigil("config", "check", configured(secrets))
    assert (checked.status, checked.err) == (0, "")
    text = (COMPOSE / "pgvigil.yaml").read_text(encoding="utf-8")
    used = set(re.findall(r"!file /run/secrets/(\w+)", text))
    assert used == set(SERVICES["pgvigil"]["secrets"])


def test_prometheus_takes_its_configuration_and_our_rules(
    promtool: str, prepared: Path, tmp_path: Path
) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    for place, source in mounts(SERVICES["prometheus"], prepared).items():
        (etc / Path(place).name).symlink_to(source)
    rules = list(etc.glob("rules/*.rules.yml"))
    assert rules
    command = [promtool, "check", "config", etc / "prometheus.yml"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert len(re.findall(r"SUCCESS: \d+ rules found", answer.stdout)) == len(rules)


def test_prometheus_finds_pgvigil_and_alertmanager() -> None:
    prometheus = yaml.safe_load((COMPOSE / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = prometheus["scrape_configs"]
    (alertmanagers,) = prometheus["alerting"]["alertmanagers"]
    for configs in (job["static_configs"], alertmanagers["static_configs"]):
        ((host, port),) = [target.split(":") for config in configs for target in config["targets"]]
        assert SERVICES[host]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_alertmanager_and_grafana_find_what_is_mounted(prepared: Path) -> None:
    (place,) = mounts(SERVICES["alertmanager"], prepared)
    (file,) = [word for word in SERVICES["alertmanager"]["command"] if word.startswith("--config.file=")]
    assert (mounts(SERVICES["alertmanager"], prepared)[place] / Path(file).name).exists()

    grafana = mounts(SERVICES["grafana"], prepared)
    providers = grafana["/etc/grafana/provisioning"].glob("dashboards/*.y*ml")
    paths = [
        provider["options"]["path"]
        for file in providers
        for provider in yaml.safe_load(file.read_text(encoding="utf-8"))["providers"]
    ]
    assert paths
    assert all(list(grafana[path].glob("*.json")) for path in paths)


def test_links_to_prometheus_and_alertmanager_lead_to_where_they_are_published() -> None:
    for name in ("prometheus", "alertmanager"):
        (port,) = SERVICES[name]["ports"]
        assert f"--web.external-url=http://{port.rpartition(':')[0]}" in SERVICES[name]["command"]


def test_the_role_is_what_the_command_makes() -> None:
    assert (ROOT / "deploy/postgres/pgvigil.sql").read_text(encoding="utf-8") == grants("pgvigil")


def test_the_shop_is_watched_and_its_fault_is_found(own_server: Server, secrets: Path) -> None:
    set_up(own_server, secrets)
    host = {"host": "127.0.0.1", "port": own_server.port}
    shop = make_conninfo((secrets / "shop_dsn").read_text(), **host)
    (secrets / "shop_dsn").write_text(shop)
    state = make_url((secrets / "state_url").read_text()).set(**host)
    (secrets / "state_url").write_text(state.render_as_string(hide_password=False))

    examined = pgvigil("check", "--config", configured(secrets), "--format", "json")
    assert examined.status == 1, examined.err
    (fault,) = [one for one in examined.json["findings"] if one["severity"] != "info"]
    assert (fault["check"], fault["count"]) == ("orphan_rows", 10)
    assert examined.json["coverage"]["unknown"] == 0

    with Store.open(load(configured(secrets)).state.get_secret_value()) as store:
        assert store.lead()
    # Who looks at the shop has no business in the state, nor the other way round.
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(shop, dbname="pgvigil")
    with (
        psycopg.connect(shop, dbname="shop", user=state.username, password=state.password) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute("SELECT FROM orders")


def set_up(server: Server, secrets: Path) -> None:
    """Run what PostgreSQL's image runs on a new data directory."""
    bindir = by_version()[server.version].bindir
    environment = {
        "PATH": f"{bindir}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGPASSWORD": server.password,
        "POSTGRES_USER": server.user,
        "SECRETS": str(secrets),
        "ROLE_SQL": str(ROOT / "deploy/postgres/pgvigil.sql"),
    }
    for script in sorted((COMPOSE / "initdb").glob("*.sh")):
        subprocess.run(["sh", script], env=environment, check=True)
