"""The manifests are such as Kubernetes and the Prometheus operator take, and fit each other and pgvigil."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.prometheus_operator import v1 as operator

from pgvigil.config import load
from pgvigil.errors import ConfigError
from pgvigil.registry import Registry
from tests.deploy.image import stages

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
BASE = KUBERNETES / "base"
OVERLAY = KUBERNETES / "overlays/example"
VERSIONS = ("1.31", "1.37")
OURS = {"app.kubernetes.io/name": "pgvigil"}

Manifest = dict[str, Any]


def documents(file: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(file.read_text(encoding="utf-8")))


def kustomization(directory: Path) -> Manifest:
    (found,) = documents(directory / "kustomization.yaml")
    return found


def resources(directory: Path) -> list[Manifest]:
    """Return what a kustomization lists, before anything is changed."""
    listed = [directory / name for name in kustomization(directory)["resources"]]
    return [manifest for path in listed if path.is_file() for manifest in documents(path)]


def one(kind: str) -> Manifest:
    (found,) = [manifest for manifest in resources(BASE) if manifest["kind"] == kind]
    return found


def pod() -> Manifest:
    found: Manifest = one("Deployment")["spec"]["template"]["spec"]
    return found


def container() -> Manifest:
    (found,) = pod()["containers"]
    return dict(found)


def take(manifest: Manifest) -> None:
    """Raise when Kubernetes or the operator would not take it, or would not know a part of it."""
    if manifest["apiVersion"].startswith("monitoring.coreos.com/"):
        model = getattr(operator, manifest["kind"])
        taken = model.model_validate(manifest)
        # What the model does not know it drops.
        assert taken.model_dump(mode="json", by_alias=True, exclude_unset=True) == manifest
    else:
        for version in VERSIONS:
            kubernetes_validate.validate(manifest, version, strict=True)


every_manifest = pytest.mark.parametrize(
    "manifest",
    [*resources(BASE), *resources(OVERLAY)],
    ids=lambda manifest: f"{manifest['kind']}-{manifest['metadata']['name']}",
)


@every_manifest
def test_a_manifest_is_what_its_schema_says(manifest: Manifest) -> None:
    take(manifest)


@pytest.mark.parametrize("kind", ["Deployment", "ServiceMonitor"])
def test_a_manifest_that_is_not_is_found(kind: str) -> None:
    manifest = one(kind)
    with pytest.raises((AssertionError, kubernetes_validate.ValidationError)):
        take(manifest | {"spec": manifest["spec"] | {"nonsense": True}})


def test_every_file_is_used() -> None:
    for directory in (BASE, OVERLAY):
        made = kustomization(directory)
        named = {name for name in made["resources"] if not name.startswith("..")}
        named |= {name for generator in made["configMapGenerator"] for name in generator["files"]}
        named |= {patch["path"] for patch in made.get("patches", ())}
        assert named | {"kustomization.yaml"} == {path.name for path in directory.iterdir()}
    assert (OVERLAY / "../../base").resolve() == BASE


def test_every_selector_selects_our_pods() -> None:
    deployment = one("Deployment")["spec"]
    assert deployment["template"]["metadata"]["labels"] == OURS
    selectors = [deployment["selector"]["matchLabels"], one("Service")["spec"]["selector"]]
    selectors += [one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"]]
    selectors += [one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"]]
    spreads = pod()["topologySpreadConstraints"]
    selectors += [spread["labelSelector"]["matchLabels"] for spread in spreads]
    assert selectors == [OURS] * len(selectors)
    # The monitor looks for the Service, and names the job after one of its labels.
    monitor = one("ServiceMonitor")["spec"]
    labels = one("Service")["metadata"]["labels"]
    assert monitor["selector"]["matchLabels"] == labels
    assert labels[monitor["jobLabel"]] == "pgvigil"


def test_every_port_is_the_container_s() -> None:
    (port,) = container()["ports"]
    (service,) = one("Service")["spec"]["ports"]
    (endpoint,) = one("ServiceMonitor")["spec"]["endpoints"]
    named = [service["targetPort"], service["name"], endpoint["port"]]
    named += [
        container()[f"{probe}Probe"]["httpGet"]["port"] for probe in ("startup", "liveness", "readiness")
    ]
    named += [port["port"] for rule in one("NetworkPolicy")["spec"]["ingress"] for port in rule["ports"]]
    assert set(named) == {port["name"]}
    assert load_config(BASE).web.port == port["containerPort"] == service["port"]


def test_the_container_may_do_nothing_but_its_work() -> None:
    security = container()["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod()["automountServiceAccountToken"] is False
    user = stages()[-1].one("USER").value[0]
    assert user == "{runAsUser}:{runAsGroup}".format_map(pod()["securityContext"])
    # All that it can write is a small directory in memory.
    writable = [mount["name"] for mount in container()["volumeMounts"] if not mount.get("readOnly")]
    (volume,) = [volume for volume in pod()["volumes"] if volume["name"] in writable]
    assert volume["emptyDir"]["medium"] == "Memory"


def test_one_of_two_may_go_at_a_time() -> None:
    assert one("Deployment")["spec"]["replicas"] == 2
    assert one("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    # Only on PostgreSQL can replicas share their state.
    assert load_config(BASE).state.get_secret_value().startswith("postgresql+psycopg://")


def load_config(directory: Path) -> Any:
    """Load the configuration of a ConfigMap with the example's Secret, and a token of one's own."""
    (secret,) = documents(OVERLAY / "secret.yaml")
    return load_with(directory, secret["stringData"] | {"token": "0123456789abcdef" * 4})


def load_with(directory: Path, values: dict[str, str]) -> Any:
    text = (directory / "pgvigil.yaml").read_text(encoding="utf-8")
    mount = next(mount for mount in container()["volumeMounts"] if mount["name"] == "secrets")["mountPath"]
    for name in re.findall(rf"!file {mount}/(\w+)", text):
        text = text.replace(f"!file {mount}/{name}", repr(values[name]))
    assert "!file" not in text
    with NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return load(Path(file.name))


@pytest.mark.parametrize("directory", [BASE, OVERLAY], ids=["base", "overlay"])
def test_the_configuration_loads(directory: Path) -> None:
    config = load_config(directory)
    assert Registry.load().bind_all(config)
    assert config.web.host == "0.0.0.0"  # noqa: S104 - within the pod


def test_a_secret_that_is_left_as_it_is_does_not_load() -> None:
    """Its token would be known to everybody who has read the example."""
    (secret,) = documents(OVERLAY / "secret.yaml")
    with pytest.raises(ConfigError, match="16 or more"):
        load_with(OVERLAY, secret["stringData"])


def test_the_container_reads_what_is_mounted() -> None:
    mounts = {mount["mountPath"]: mount["name"] for mount in container()["volumeMounts"]}
    (config,) = [word for word in container()["args"] if word.startswith("/")]
    assert mounts[str(Path(config).parent)] == "config"
    (generator,) = kustomization(BASE)["configMapGenerator"]
    (volume,) = [volume for volume in pod()["volumes"] if volume["name"] == "config"]
    assert volume["configMap"]["name"] == generator["name"]
    assert Path(config).name in generator["files"]
    (secrets,) = [volume for volume in pod()["volumes"] if volume["name"] == "secrets"]
    assert secrets["secret"]["secretName"] == documents(OVERLAY / "secret.yaml")[0]["metadata"]["name"]


def test_the_rules_are_those_of_prometheus() -> None:
    made = runpy.run_path(str(KUBERNETES / "rules.py"))
    assert made["MADE"].read_text(encoding="utf-8") == made["manifests"](), "run deploy/kubernetes/rules.py"
    specs = [manifest["spec"] for manifest in documents(made["MADE"])]
    files = sorted((ROOT / "deploy/prometheus").glob("*.rules.yml"))
    assert files
    assert specs == [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]


@pytest.fixture
def build() -> Callable[[Path], list[Manifest]]:
    """`build(directory)`: what Kustomize makes of it."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed, and Debian's is too old for this")

    def build(directory: Path) -> list[Manifest]:
        command = ["kubectl", "kustomize", str(directory)]
        built = subprocess.run(command, capture_output=True, text=True, check=True)
        return list(yaml.safe_load_all(built.stdout))

    return build


def test_kustomize_builds_the_example(build: Callable[[Path], list[Manifest]]) -> None:
    manifests = build(OVERLAY)
    for manifest in manifests:
        take(manifest)
        assert manifest["metadata"].get("namespace", "pgvigil") == "pgvigil"
        assert manifest["metadata"]["labels"]["release"] == "kube-prometheus-stack"

    by_kind = {manifest["kind"]: manifest for manifest in manifests}
    config = by_kind["ConfigMap"]
    assert config["data"] == {"pgvigil.yaml": (OVERLAY / "pgvigil.yaml").read_text(encoding="utf-8")}
    spec = by_kind["Deployment"]["spec"]["template"]["spec"]
    assert spec["volumes"][0]["configMap"]["name"] == config["metadata"]["name"] != "pgvigil"
    assert spec["containers"][0]["image"] == "registry.example.org/pgvigil:0.1.0"
    (rule,) = by_kind["NetworkPolicy"]["spec"]["ingress"]
    assert len(rule["from"]) == 2
    assert by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == OURS


def test_the_alerts_on_incidents_can_be_left_out(
    build: Callable[[Path], list[Manifest]], tmp_path: Path
) -> None:
    """With the direct notifier, as the documentation says."""
    page = (ROOT / "docs/howto/deploy-kubernetes.md").read_text(encoding="utf-8")
    (patch,) = re.findall(r"^    patches:\n(?:    .*\n)+", page, re.MULTILINE)
    copy = shutil.copytree(KUBERNETES, tmp_path / "kubernetes") / OVERLAY.relative_to(KUBERNETES)
    file = copy / "kustomization.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("patches:\n", dedent(patch)), encoding="utf-8")

    def rules(directory: Path) -> set[str]:
        return {one["metadata"]["name"] for one in build(directory) if one["kind"] == "PrometheusRule"}

    assert rules(OVERLAY) - rules(copy) == {"pgvigil-incidents"}
    assert rules(copy)
