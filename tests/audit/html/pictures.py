"""Draw the picture of the audit in the documentation: `python -m tests.audit.html.pictures`, half a minute.

It shows the sample in its crisis, audited with nothing but a DSN. With a directory as argument the page
itself is kept there.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg

from pgvigil.assembly import build_watch
from pgvigil.audit.build import build_audit
from pgvigil.audit.html import render
from pgvigil.config import Config
from pgvigil.embedded import serve
from pgvigil.registry import Registry
from pgvigil.sample import build, plant_crisis
from tests import chromium
from tests.audit.conftest import nobody

IMAGE = Path(__file__).parents[3] / "docs" / "images" / "audit.png"


def page() -> str:
    """Return the page of the sample."""
    with serve() as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE games")
        dsn = server.dsn("games")
        build(dsn, scale=1, seed=1)
        plant_crisis(dsn, seed=1)
        watch = build_watch(Config.from_dsn(dsn, "games"), "games", Registry.load(), urgent=True)
        with closing(watch.target):
            return render(build_audit(watch, sampling=True, progress=nobody))


def main() -> int:
    with tempfile.TemporaryDirectory() as directory, chromium.running() as browser:
        file = Path(sys.argv[1] if len(sys.argv) > 1 else directory) / "audit.html"
        file.write_text(page(), encoding="utf-8")
        drawn = browser.new_page(viewport={"width": 1400, "height": 1000}, device_scale_factor=1.5)
        drawn.goto(file.as_uri())
        drawn.screenshot(path=IMAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
