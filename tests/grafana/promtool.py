"""What promtool says of expressions: whether they are PromQL, and what they give for made-up series."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from tests.background import program


@cache
def complaint_about(expression: str) -> str:
    """Return what is wrong with an expression, nothing when it is PromQL."""
    rule = {"groups": [{"name": "lint", "rules": [{"record": "lint", "expr": expression}]}]}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.yml"
        file.write_text(yaml.safe_dump(rule), encoding="utf-8")
        answer = _promtool("check", "rules", file)
    return answer.stdout + answer.stderr if answer.returncode else ""


def evaluated(expression: str, series: Mapping[str, str], seconds: int, expected: float) -> str:
    """Return what is wrong when an expression does not give one `expected` value, without labels.

    `series` are values every ten seconds, in promtool's notation; `seconds` is when it is evaluated.
    """
    test = {
        "evaluation_interval": "10s",
        "tests": [
            {
                "interval": "10s",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": expression,
                        "eval_time": f"{seconds}s",
                        "exp_samples": [{"labels": "{}", "value": expected}],
                    }
                ],
            }
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test.yml"
        file.write_text(yaml.safe_dump(test), encoding="utf-8")
        answer = _promtool("test", "rules", file)
    return answer.stdout + answer.stderr if answer.returncode else ""


def _promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program("promtool"), *arguments], capture_output=True, text=True, check=False)
