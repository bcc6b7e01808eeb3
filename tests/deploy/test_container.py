"""The image: what can be said of it, and done of it, without a container engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pgvigil import __version__
from tests.daemon.process import Daemon, until
from tests.deploy.image import ROOT, Stage, sent_to_the_builder, stages

PORT = 9925


@pytest.fixture
def builder() -> Stage:
    """The stage that builds."""
    return stages()[0]


@pytest.fixture
def final() -> Stage:
    """The stage that becomes the image."""
    return stages()[-1]


def test_it_is_built_apart_from_where_it_runs(builder: Stage, final: Stage) -> None:
    assert [stage.name for stage in stages()] == ["builder", ""]
    (copied,) = final.all("COPY")
    assert copied.flags == ("--from=builder",)
    assert not any(re.search(r"pip|apt|curl", str(run.value)) for run in final.all("RUN"))
    # A python of another path or version would not find what the builder installed.
    assert builder.base == final.base


def test_its_base_stays_what_it_is(final: Stage) -> None:
    assert re.fullmatch(r"docker\.io/library/python:\d+\.\d+\.\d+-slim-\w+", final.base)


def test_it_runs_as_a_number_that_is_not_root(final: Stage) -> None:
    user, group = map(int, final.one("USER").value[0].split(":"))
    assert min(user, group) >= 1000
    # Whoever it is, nothing after that line could change what it may read.
    after = final.instructions[final.instructions.index(final.one("USER")) + 1 :]
    assert not {"RUN", "COPY", "ADD"} & {one.cmd for one in after}


def test_it_starts_without_a_shell_and_stops_when_asked(final: Stage) -> None:
    for instruction in ("ENTRYPOINT", "CMD", "HEALTHCHECK"):
        assert final.one(instruction).json, instruction
    assert final.one("STOPSIGNAL").value == ("SIGTERM",)
    assert final.one("EXPOSE").value == (str(PORT),)


def test_what_it_copies_is_there_and_is_sent(builder: Stage) -> None:
    sources = [ROOT / source for copy in builder.all("COPY") for source in copy.value[:-1]]
    assert all(source.exists() for source in sources)
    assert all(sent_to_the_builder(source) for source in sources)
    assert sent_to_the_builder(ROOT / "service/pgvigil/app.py")
    assert sent_to_the_builder(ROOT / "checks/pgvigil_checks/orphan_rows.sql")


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        "pgvigil.db",
        "pgvigil.yaml",
        "docs/README.md",
        "service/pgvigil/__pycache__/a.pyc",
    ],
)
def test_nothing_else_is_sent(path: str) -> None:
    assert not sent_to_the_builder(ROOT / path)


def test_all_that_the_wheel_is_made_of_is_copied(builder: Stage) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel.get("force-include", {}), "pyproject.toml"}
    needed |= {project["project"]["readme"], *project["project"]["license-files"]}
    copied = {source for copy in builder.all("COPY") for source in copy.value[:-1]}
    assert {path for path in needed if not copied & {path, *map(str, Path(path).parents)}} == set()


@pytest.mark.slow
def test_its_steps_make_an_installation_that_serves(builder: Stage, final: Stage, tmp_path: Path) -> None:
    """The steps of the file, one by one, below a directory instead of below the root of an image."""
    places = {place: str(tmp_path / place) for place in ("src", "dist", "opt", "var")}
    placed = re.compile(rf"(?<![\w.])/({'|'.join(places)})(?=/|\s|$)")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def run(step: str) -> None:
        step = placed.sub(lambda match: places[match[1]], step)
        # Giving files away takes root, which who runs the tests need not be.
        step = re.sub(r"--(owner|group) \d+", "", step)
        subprocess.run(["sh", "-ec", step], cwd=places["src"], env=environment, check=True)

    (tmp_path / "opt").mkdir()
    (tmp_path / "src").mkdir()
    for copy in builder.all("COPY"):
        *sources, target = copy.value
        for source in sources:
            (tmp_path / "src" / target).parent.mkdir(exist_ok=True)
            command = ["cp", "-R", ROOT / source, tmp_path / "src" / target]
            subprocess.run(command, check=True)
    for step in [*builder.all("RUN"), *final.all("RUN")]:
        run(step.value[0])

    installed = tmp_path / "opt/pgvigil/bin"
    assert not (installed / "pip").exists()
    state = tmp_path / "var/lib/pgvigil"
    assert state.stat().st_mode & 0o777 == 0o700
    (entry,) = final.one("ENTRYPOINT").value
    version = subprocess.run([installed / entry, "version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"pgvigil {__version__}\n"
    serve_and_be_asked(installed, state, final)


def serve_and_be_asked(installed: Path, state: Path, final: Stage) -> None:
    """Run the command of the image on a free port, and ask it as the health check does."""
    config = state / "pgvigil.yaml"
    config.write_text("targets: {shop: {dsn: 'host=127.0.0.1 port=1'}}\n", encoding="utf-8")
    replaced = {"/etc/pgvigil/pgvigil.yaml": str(config), f"0.0.0.0:{PORT}": "127.0.0.1:0"}
    command = [installed / "pgvigil", *(replaced.get(word, word) for word in final.one("CMD").value)]
    log = state / "log"
    with log.open("w") as stderr, subprocess.Popen(command, cwd=state, stderr=stderr, text=True) as process:
        try:
            daemon = Daemon(process, until(lambda: address_in(log)), log)
            port = daemon.address.rstrip("/").rpartition(":")[2]
            _, python, *arguments = final.one("HEALTHCHECK").value
            asked = [word.replace(f":{PORT}/", f":{port}/") for word in arguments]
            assert subprocess.run([installed / python, *asked], check=False).returncode == 0
            assert daemon.terminate() == 0
            silenced = subprocess.run([installed / python, *asked], capture_output=True, check=False)
            assert silenced.returncode == 1
        finally:
            process.kill()


def address_in(log: Path) -> str:
    """Return the address that a daemon has announced; empty until then."""
    return next(iter(re.findall(r'"url": "(\S+)", "event": "console and metrics"', log.read_text())), "")
