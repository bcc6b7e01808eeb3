"""Writes base/prometheusrules.yaml from the rule files of deploy/prometheus, which stay the only truth.

python deploy/kubernetes/rules.py; a test fails when it was forgotten.
"""

from pathlib import Path

HERE = Path(__file__).parent
RULES = HERE.parent / "prometheus"
MADE = HERE / "base/prometheusrules.yaml"

HEAD = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: pgvigil
spec:
"""


def manifest(file: Path) -> str:
    """Return a rule file as a resource, text for text: a PrometheusRule's spec is such a file."""
    name = file.name.removesuffix(".rules.yml").replace(".", "-")
    lines = file.read_text(encoding="utf-8").splitlines()
    return HEAD.format(name=name) + "\n".join(f"  {line}".rstrip() for line in lines) + "\n"


def manifests() -> str:
    """Return all of them, in one document each."""
    made = "# Made by deploy/kubernetes/rules.py from deploy/prometheus; edits are lost.\n"
    return made + "---\n".join(manifest(file) for file in sorted(RULES.glob("*.rules.yml")))


if __name__ == "__main__":
    MADE.write_text(manifests(), encoding="utf-8")
