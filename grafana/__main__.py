"""Write the dashboards: `python -m grafana`; with --check, only tell whether they are what the code says."""

from __future__ import annotations

import sys
from pathlib import Path

from grafana import daemon, drift, overview, relations

FOLDER = Path(__file__).parent / "dashboards"


def documents() -> dict[str, str]:
    """Return the JSON of every dashboard, by the name of its file."""
    return {
        "pgvigil-overview.json": overview.build(),
        "pgvigil-relations.json": relations.build(),
        "pgvigil-drift.json": drift.build(),
        "pgvigil-self.json": daemon.build(),
    }


def main(arguments: list[str]) -> int:
    """Write or compare; return the exit status."""
    written = documents()
    if "--check" not in arguments:
        for name, text in written.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    different = [
        name
        for name, text in written.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]
    if different:
        sys.stderr.write(f"not what the code says: {', '.join(different)}; run: make dashboards\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
