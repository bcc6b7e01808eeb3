"""Where a schema's packages are fetched and unpacked, and what makes its tables of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_BUILDERS = Path(__file__).parent / "builders"
_PATIENCE = 1800.0


class NotMadeError(Exception):
    """A schema whose packages cannot be had, or whose tables cannot be made, at the moment."""


def cache() -> Path:
    """Return the folder that all that is fetched stays in: third parties' schemas are not ours to publish."""
    given = os.environ.get("PGVIGIL_EVALUATION")
    return Path(given) if given else Path.home() / ".cache" / "pgvigil-evaluation"


@dataclass(frozen=True)
class Workshop:
    """The folder of one schema, and the empty database `dsn` that its tables are made in."""

    folder: Path
    dsn: str
    bindir: Path

    def debian(self, package: str) -> Path:
        """Return where the files of a Debian package lie, which is unpacked and not installed."""
        root = self.folder / package
        if not root.exists():
            _run(["apt-get", "download", "--quiet", package], self.folder)
            archive = next(self.folder.glob(f"{package}_*.deb"))
            _run(["dpkg", "--extract", str(archive), str(root)], self.folder)
        return root

    def npm(self, package: str) -> Path:
        """Return where the files of an npm package lie, without what it depends on."""
        root = self.folder / "package"
        if not root.exists():
            archive = _run(["npm", "pack", "--silent", package], self.folder).strip()
            _run(["tar", "--extract", "--gzip", "--file", archive], self.folder)
        return root

    def python(self, script: str, *requirements: str) -> None:
        """Run one of the builders in an environment of its own that holds these packages."""
        environment = self.folder / "venv"
        python = environment / "bin" / "python"
        ready = environment / ".ready"
        if not ready.exists():
            _run([sys.executable, "-m", "venv", "--clear", str(environment)], self.folder)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--prefer-binary"]
            _run([*pip, *requirements, "psycopg[binary]", "psycopg_pool"], self.folder)
            ready.touch()
        url = self.dsn.replace("postgresql://", "postgresql+psycopg://", 1)
        extra = {"DSN": self.dsn, "SQLALCHEMY_URL": url, "HOME": str(self.folder)}
        _run([str(python), str(_BUILDERS / f"{script}.py")], self.folder, extra)

    def sql(self, *files: Path) -> None:
        """Run files of SQL, in this order."""
        for file in files:
            given = ["psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", self.dsn]
            _run([str(self.bindir / given[0]), *given[1:], "--file", str(file)], self.folder)


def _run(command: Sequence[str], folder: Path, extra: Mapping[str, str] | None = None) -> str:
    """Run a command without a shell; raises NotMadeError with the end of what it complained."""
    try:
        answer = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | (extra or {}),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotMadeError(str(error)) from error
    if answer.returncode != 0:
        raise NotMadeError(f"{Path(command[0]).name} failed: {_complaint(answer.stderr or answer.stdout)}")
    return answer.stdout


def _complaint(text: str) -> str:
    """Return the last line that speaks of an error, else the last: programs point at what they mean below."""
    lines = text.strip().splitlines() or ["it said nothing"]
    return next((line for line in reversed(lines) if "error" in line.lower()), lines[-1])
