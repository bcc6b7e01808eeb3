"""Draw the pictures of the documentation: `python -m tests.grafana.pictures`, about ten minutes.

Needs what the tests need, and `npm ci` and `npm run bundle` in grafana/.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests import chromium
from tests.grafana.boards import UIDS
from tests.grafana.recording import SHOWN, Span, drawn, recorded
from tests.grafana.scene import Scene, running_scene, walk

IMAGES = Path(__file__).parents[2] / "docs" / "images"
_QUIET_SECONDS = 150.0
_CRISIS_SECONDS = 180.0
_HEALING_SECONDS = 210.0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _story(scene: Scene) -> None:
    """Quiet, a deployment that breaks much, people who react, faults that heal."""
    time.sleep(_QUIET_SECONDS)
    scene.deploy("2.5.0")
    motion = scene.break_it()
    scene.faults_seen()
    time.sleep(_CRISIS_SECONDS)
    attended, muted, *_ = scene.ask("incidents?check=orphan_rows")
    scene.ask(f"incidents/{attended['id']}/acknowledge", {"note": "restoring the parents"})
    scene.ask(f"incidents/{muted['id']}/mute", {"note": "known, repaired on Monday"})
    walk(motion, _HEALING_SECONDS, 12, _tell)


def main() -> int:
    """Let the story happen, and draw each dashboard as it ends."""
    with running_scene(every="10s", scrapes="2s") as scene, chromium.running() as browser:
        _story(scene)
        span = Span(scene.began, time.time())
        for uid in UIDS:
            with drawn(browser, recorded(scene.prometheus, uid, span, SHOWN)) as page:
                file = IMAGES / f"grafana-{uid.removeprefix('pgvigil-')}.png"
                page.locator("[data-board]").screenshot(path=file)
                _tell(f"{file}: {file.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
