"""Invariant 7: what was acknowledged survives; and a store that fails is intact and goes on afterwards."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from pgvigil.errors import StoreError
from pgvigil.metrics import Counters, Exposition
from pgvigil.store import Filter, Store
from tests.incident.life import finding, run
from tests.store.conftest import store_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pgvigil.embedded import Server
    from tests.store.daemon import Daemon

SUBJECT = "public.t"
EVERY = Filter(limit=10_000)


def test_a_daemon_killed_between_commit_and_metric_shows_the_result_after_its_restart(
    url: str, daemon: Callable[[str], Daemon]
) -> None:
    killed = daemon(url)
    assert killed.ask("lead") == "True"
    assert killed.ask(f"die-after-commit {SUBJECT}") == ""
    with Store.open(url) as store:
        assert store.lead(wait=True)
        (stored,) = store.runs()
        assert [one.count for one in stored.run.findings] == [7]
        (incident,) = store.incidents()
        assert (incident.state, incident.count) == ("open", 7)
        metrics = Exposition(Counters()).text(store.view()).decode()
    labels = f'target="games",check="orphan_rows",subject="{SUBJECT}",severity="critical"'
    assert f"pgvigil_violations{{{labels}}} 7.0" in metrics
    open_incidents = 'check="orphan_rows",severity="critical",state="open",target="games"'
    assert f"pgvigil_incidents{{{open_incidents}}} 1.0" in metrics


def test_every_acknowledged_result_survives_kill_9(url: str, daemon: Callable[[str], Daemon]) -> None:
    killed = daemon(url)
    killed.ask("lead")
    for number in range(200):
        killed.tell(f"record public.t{number}")
    acknowledged = {int(killed.answer()) for _ in range(40)}
    killed.kill()
    acknowledged |= {int(line) for line in iter(killed.answer, "")}
    with Store.open(url) as store:
        ids = [stored.id for stored in store.runs()]
        assert acknowledged <= set(ids)
        assert len(ids) - len(acknowledged) <= 1, "one at most was committed and not yet acknowledged"
        assert len(store.incidents()) == len(store.subjects()) == len(ids)


def test_every_commit_is_synced_to_the_disk(sqlite_url: str) -> None:
    """What a killed process cannot show: a power cut spares only what was synced."""
    with Store.open(sqlite_url) as store, store._database.writing() as connection:
        full = 2
        assert store._database.pragma(connection, "synchronous") == full
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


class TmpfsDisk:
    """A file system of one megabyte."""

    advice = "free space on its disk"

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def full(self) -> Iterator[None]:
        """Fill what is left of it for the time of the block."""
        filler = self.path / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        yield
        filler.unlink()


class QuotaDisk:
    """A directory where no file may grow any more, once it is full."""

    advice = "it may be full, over a quota, or failing"

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def full(self) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        # A log that was moved into the database does not have to grow.
        largest = max(file.stat().st_size for file in self.path.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def tmpfs(path: Path) -> Iterator[TmpfsDisk]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "pgvigil-test", str(path)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield TmpfsDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def quota(path: Path) -> Iterator[QuotaDisk]:
    yield QuotaDisk(path)


def can_mount() -> bool:
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("disk", [quota, tmpfs] if can_mount() else [quota])
def test_a_full_disk_loses_nothing_that_was_acknowledged(
    tmp_path: Path, disk: Callable[[Path], AbstractContextManager[TmpfsDisk | QuotaDisk]]
) -> None:
    with ExitStack() as stack:
        small = stack.enter_context(disk(tmp_path))
        store = stack.enter_context(Store.open(f"sqlite:///{tmp_path}/pgvigil.db", wait_seconds=1.0))
        store.lead()
        acknowledged = [
            store.record(run(finding(), subject=f"public.t{number}")).run_id for number in range(9)
        ]
        with small.full():
            message = ""
            for number in range(500):
                try:
                    recorded = store.record(run(finding(rows=2), subject=f"public.full{number}"))
                    acknowledged.append(recorded.run_id)
                except StoreError as error:
                    message = str(error)
                    break
            assert message.startswith("state store sqlite:///")
            assert small.advice in message
            assert "\n" not in message
            shown = store.view()
            assert len(shown.subjects) == len(acknowledged)
        acknowledged.append(store.record(run(finding(), subject="public.after")).run_id)
        assert len(store.view().subjects) == len(acknowledged)
        with Store.open(f"sqlite:///{tmp_path}/pgvigil.db") as again:
            assert sorted(stored.id for stored in again.runs(EVERY)) == sorted(acknowledged)
            assert again.view() == store.view()
            with again._database.reading() as connection:
                check = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
            assert check == "ok"


def test_a_server_that_restarts_costs_one_error_and_no_result(own_server: Server) -> None:
    with Store.open(store_url(own_server.dsn())) as store:
        store.record(run(finding()))
        own_server.stop()
        with pytest.raises(StoreError, match="check that its server runs"):
            store.record(run(finding(), minutes=5))
        assert [one.count for one in store.view().incidents.values()] == [1], "a scrape goes on"
        own_server.start()
        assert store.record(run(finding(rows=2), minutes=10)).incidents[0].sightings == 2


class CuttingProxy:
    """Stands between the store and its server; when told so, cuts the line before a commit is answered."""

    def __init__(self, host: str, port: int) -> None:
        self.cut = threading.Event()
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server:
            answers = threading.Thread(target=self._answer, args=[server, client], daemon=True)
            answers.start()
            with suppress(OSError):
                while data := client.recv(1 << 16):
                    self._forward(data, client, server)
                server.shutdown(socket.SHUT_RDWR)
            answers.join()

    def _forward(self, data: bytes, client: socket.socket, server: socket.socket) -> None:
        if self.cut.is_set() and b"COMMIT" in data:
            client.shutdown(socket.SHUT_RDWR)
        server.sendall(data)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                with suppress(OSError):
                    client.sendall(data)


def test_a_commit_whose_answer_was_lost_shows_as_soon_as_the_store_is_reached_again(
    postgres_url: str,
) -> None:
    """The server resolved the incident, and nobody was told: it must not be shown open for ever."""
    server = make_url(postgres_url)
    proxy = CuttingProxy(str(server.host), int(server.port or 0))
    with Store.open(
        server.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
    ) as store:
        store.record(run(finding()))
        proxy.cut.set()
        with pytest.raises(StoreError):
            store.record(run(minutes=5))
        proxy.cut.clear()
        while len(store.runs()) < 2:
            pass  # The server has not yet carried out what it was sent.
        assert [one.state for one in store.incidents()] == ["resolved"]
        store.record(run(subject="public.another"))
        assert store.view().incidents == {}
    proxy.close()
