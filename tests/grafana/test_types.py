"""The dashboards are what Grafana 13's own types say, which refuse what they are there to refuse."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.grafana.boards import board
from tests.grafana.conftest import npm

pytestmark = pytest.mark.slow


def test_the_types_hold_for_every_dashboard(packages: Path) -> None:
    """And `@ts-expect-error` in check/refused.ts holds for every mistake."""
    answer = npm("run", "--silent", "types")
    assert answer.returncode == 0, answer.stdout


def test_the_drawing_page_keeps_to_them_too(packages: Path) -> None:
    answer = npm("exec", "--", "tsc", "--project", ".")
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(lambda document: document.update(autoRefresh="30s"), id="a setting of its own"),
        pytest.param(lambda document: document["panels"][0].update(type="status"), id="no such panel"),
        pytest.param(lambda document: document["panels"][0]["options"].pop("textMode"), id="an option lacks"),
        pytest.param(
            lambda document: document["panels"][0]["fieldConfig"]["defaults"]["color"].update(mode="rainbow"),
            id="no such colour mode",
        ),
        pytest.param(
            lambda document: document["templating"]["list"][1].update(refresh=7), id="no such refresh"
        ),
        pytest.param(lambda document: document["panels"][0]["gridPos"].update(w="6"), id="a width in words"),
    ],
)
def test_a_dashboard_with_a_mistake_is_refused(
    packages: Path, tmp_path: Path, mistake: Callable[[Any], object]
) -> None:
    document = copy.deepcopy(board("pgvigil-overview"))
    mistake(document)
    (tmp_path / "wrong.json").write_text(json.dumps(document))
    answer = npm("run", "--silent", "types", "--", str(tmp_path))
    assert answer.returncode != 0
    assert "wrong.ts" in answer.stdout
