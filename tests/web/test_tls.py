"""TLS with real clients: what is agreed on, who is let in, what changes meanwhile; and idle clients."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from contextlib import ExitStack, closing
from http.client import HTTPSConnection, RemoteDisconnected
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from pgvigil.web import connection as connections
from tests.background import program
from tests.daemon.process import daemon, until
from tests.web.guarded import USERS, Authority, basic, configuration, guarded, tls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.web.guarded import Guarded

CLIENTS = "  client_ca_file: ca.pem\n  client_auth_type: "
REQUIRED = CLIENTS + "RequireAndVerifyClientCert\n"


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    authority.file(tmp_path, "ca.pem")
    return tmp_path


def refused(running: Guarded, context: ssl.SSLContext | None) -> bool:
    """Tell whether a client gets no answer at all."""
    try:
        running.ask(context=context)
    except (ssl.SSLError, ConnectionError, RemoteDisconnected):
        return True
    return False


def version(running: Guarded, context: ssl.SSLContext) -> str | None:
    """Return the version that is agreed on."""
    with (
        socket.create_connection(("127.0.0.1", running.web.port), 30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as wrapped,
    ):
        return wrapped.version()


def common_name(running: Guarded, context: ssl.SSLContext) -> str:
    """Return the name in the certificate that a new connection is shown."""
    with (
        socket.create_connection(("127.0.0.1", running.web.port), 30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as wrapped,
    ):
        subject = (wrapped.getpeercert() or {})["subject"]
        return {key: str(value) for ((key, value),) in subject}["commonName"]  # type: ignore[misc, str-unpack]


def test_over_tls_the_same_is_served(folder: Path, authority: Authority) -> None:
    with guarded(folder, file=tls(authority.write(folder)) + USERS) as running:
        answer = running.ask(headers=basic(), context=authority.client())
        assert answer.status == 200
        assert "strict-transport-security" not in answer.headers, "other ports of the name are others' affair"
        assert running.web.url == f"https://127.0.0.1:{running.web.port}/"
        assert refused(running, None)
        assert refused(running, ssl.create_default_context())


def test_versions_are_those_that_are_asked_for(folder: Path, authority: Authority) -> None:
    lines = authority.write(folder)
    old, new, ancient = authority.client(), authority.client(), authority.client()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        ancient.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        ancient.maximum_version = ssl.TLSVersion.TLSv1_1
    ancient.set_ciphers("ALL:@SECLEVEL=0")
    with guarded(folder, file=tls(lines)) as running:
        assert version(running, new) == "TLSv1.3"
        assert version(running, old) == "TLSv1.2"
        assert refused(running, ancient)
        running.configure(file=tls(lines, "  min_version: TLS13\n"))
        assert refused(running, old)
        running.configure(file=tls(lines, "  max_version: TLS12\n"))
        assert version(running, new) == "TLSv1.2"


def test_suites_are_those_that_are_asked_for(folder: Path, authority: Authority) -> None:
    asked = "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n"
    other = authority.client()
    other.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with guarded(folder, file=tls(authority.write(folder), asked)) as running:
        assert version(running, authority.client()) == "TLSv1.2"
        assert refused(running, other)


def test_curl_agrees(folder: Path, authority: Authority) -> None:
    with guarded(folder, file=tls(authority.write(folder)) + USERS) as running:
        command = [program("curl"), "--silent", "--noproxy", "*", "--cacert", folder / "ca.pem", "--http2"]
        command += ["--write-out", "%{http_code} %{http_version}", "--output", "/dev/null"]
        url = f"https://localhost:{running.web.port}/metrics"
        answers = [
            subprocess.run([*command, *more, url], capture_output=True, text=True, check=True).stdout
            for more in ([], ["--user", "alice:correct horse"])
        ]
    assert answers == ["401 1.1", "200 1.1"]


def test_clients_need_a_certificate_of_our_authority(folder: Path, authority: Authority) -> None:
    with guarded(folder, file=tls(authority.write(folder), REQUIRED)) as running:
        stranger = authority.client()
        Authority().ca.issue_cert("prometheus.example.org").configure_cert(stranger)
        assert running.ask(context=authority.client("prometheus.example.org")).status == 200
        assert refused(running, authority.client())
        assert refused(running, stranger)


def test_a_certificate_that_is_given_is_verified(folder: Path, authority: Authority) -> None:
    asked = CLIENTS + "VerifyClientCertIfGiven\n"
    with guarded(folder, file=tls(authority.write(folder), asked)) as running:
        stranger = authority.client()
        Authority().ca.issue_cert("prometheus.example.org").configure_cert(stranger)
        assert running.ask(context=authority.client("prometheus.example.org")).status == 200
        assert running.ask(context=authority.client()).status == 200
        assert refused(running, stranger)


def test_of_the_certificates_of_our_authority_only_those_with_a_name_on_the_list_are_let_in(
    folder: Path, authority: Authority
) -> None:
    allowed = "  client_allowed_sans: [prometheus.example.org, 192.0.2.7, '2001:db8::7', ops@example.org]\n"
    with guarded(folder, file=tls(authority.write(folder), REQUIRED + allowed)) as running:
        for names in (
            ["prometheus.example.org"],
            ["other.example.org", "prometheus.example.org"],
            ["192.0.2.7"],
            ["2001:db8::7"],
            ["ops@example.org"],
        ):
            assert running.ask(context=authority.client(*names)).status == 200
        with capture_logs() as logs:
            for name in ("other.example.org", "*.example.org", "192.0.2.8", "example.org"):
                assert refused(running, authority.client(name))
        assert {line["event"] for line in logs} == {"client certificate refused"}
        running.configure(file=tls(authority.write(folder), REQUIRED + "  client_allowed_sans: []\n"))
        assert refused(running, authority.client("prometheus.example.org"))


def test_a_new_certificate_is_shown_to_the_next_connection(folder: Path, authority: Authority) -> None:
    with guarded(folder, file=tls(authority.write(folder, "first"))) as running:
        client = authority.client()
        assert common_name(running, client) == "first"
        running.write(tls(authority.write(folder, "second")))
        assert running.settle() is True
        assert common_name(running, client) == "second"
        renewed = authority.ca.issue_cert("localhost", common_name="third")
        (folder / "second.key").write_bytes(renewed.private_key_pem.bytes())
        (folder / "second.pem").write_bytes(renewed.cert_chain_pems[0].bytes())
        assert running.settle() is True
        assert common_name(running, client) == "third"


def test_a_broken_file_keeps_the_last_good_one_and_is_logged_once(folder: Path, authority: Authority) -> None:
    good = tls(authority.write(folder)) + USERS
    with guarded(folder, file=good) as running, capture_logs() as logs:
        (folder / "server.key").write_text("-----BEGIN PRIVATE KEY-----\ns3kr3t\n")
        assert running.settle() is False
        for _ in range(3):
            assert running.security.look() is False
        assert running.ask(headers=basic(), context=authority.client()).status == 200
        assert refused(running, None)
        authority.write(folder)
        assert running.settle() is True
    assert [line["log_level"] for line in logs] == ["error", "info"]
    assert f"{folder}/web.yml:3: tls_server_config.key_file: " in logs[0]["error"]
    assert "s3kr3t" not in str(logs)


def test_the_files_are_followed_by_themselves(
    folder: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil.web.security._POLL_SECONDS", 0.01)
    taken, heard = [], threading.Event()

    def report(in_force: bool) -> None:
        taken.append(in_force)
        heard.set()

    with guarded(folder, file=tls(authority.write(folder, "first"))) as running:
        running.security.watch(report)
        running.write(tls(authority.write(folder, "second")))
        assert heard.wait(30)
        running.security.stop()
        assert taken == [True]
        assert common_name(running, authority.client()) == "second"


def test_a_connection_of_before_ends_with_its_next_answer(folder: Path, authority: Authority) -> None:
    with guarded(folder, file=tls(authority.write(folder))) as running:
        with closing(running.connect(authority.client())) as old:
            old.request("GET", "/")
            first = old.getresponse()
            first.read()
            running.configure(file=tls(authority.write(folder), REQUIRED))
            old.request("GET", "/")
            second = old.getresponse()
            second.read()
        assert (first.status, first.headers["connection"]) == (200, None)
        assert (second.status, second.headers["connection"]) == (200, "close")
        assert refused(running, authority.client())


def test_while_certificates_change_no_request_fails(folder: Path, authority: Authority) -> None:
    changes = 40
    lines = [authority.write(folder, name) for name in ("first", "second")]
    client = authority.client()
    failed: list[BaseException] = []
    served = [0] * 4
    with guarded(folder, file=tls(lines[0])) as running:
        done = threading.Event()

        def hammer(number: int, *, keep: bool) -> None:
            connection = running.connect(client)
            try:
                while not done.is_set():
                    connection.request("GET", "/metrics")
                    answer = connection.getresponse()
                    assert (answer.status, bool(answer.read())) == (200, True)
                    served[number] += 1
                    if not keep or answer.headers["connection"] == "close":
                        connection.close()
            except BaseException as error:  # noqa: BLE001 - counted, whatever it is
                failed.append(error)
            finally:
                connection.close()

        threads = [
            threading.Thread(target=hammer, args=[number], kwargs={"keep": number % 2 == 1})
            for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for number in range(changes):
            before = sum(served)
            running.configure(file=tls(lines[number % 2]))
            while sum(served) < before + 4 and not failed:
                time.sleep(0.001)
        done.set()
        for thread in threads:
            thread.join()
    assert failed == []
    assert sum(served) >= 4 * changes


def test_tls_is_switched_on_and_off_without_the_port_being_closed(folder: Path, authority: Authority) -> None:
    lines = authority.write(folder)
    client = authority.client()
    reached: list[bool] = []
    with guarded(folder, file="{}") as running:
        done = threading.Event()

        def connect() -> None:
            while not done.is_set():
                try:
                    socket.create_connection(("127.0.0.1", running.web.port), 30).close()
                    reached.append(True)
                except OSError:
                    reached.append(False)

        thread = threading.Thread(target=connect)
        thread.start()
        for number in range(10):
            encrypted = number % 2 == 0
            running.configure(file=tls(lines) if encrypted else "{}")
            assert running.ask(context=client if encrypted else None).status == 200
            assert refused(running, None if encrypted else client)
        done.set()
        thread.join()
    assert reached
    assert all(reached)


def idle(running: Guarded, stack: ExitStack, count: int, send: bytes = b"") -> list[socket.socket]:
    """Connect so many clients that say this much and then nothing."""
    clients = []
    for _ in range(count):
        client = stack.enter_context(socket.create_connection(("127.0.0.1", running.web.port), 30))
        if send:
            client.sendall(send)
        clients.append(client)
    return clients


def connected(client: socket.socket) -> bool:
    """Tell whether the server still holds a client that it has said nothing to."""
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("said", [b"", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_idle_clients_keep_no_scrape_away_and_are_held_in_bounds(
    folder: Path, authority: Authority, encrypted: bool, said: bytes
) -> None:
    file = tls(authority.write(folder)) if encrypted else None
    client = authority.client() if encrypted else None
    with guarded(folder, file=file) as running, ExitStack() as stack:
        clients = []
        for _ in range(3):
            clients += idle(running, stack, 100, said)
            assert running.ask("/metrics", context=client).status == 200
        # A client that does not speak TLS is told so at once; others are let be while there is room.
        least = 0 if encrypted and said else 200
        until(lambda: sum(map(connected, clients)), lambda held: least <= held <= 256)


def test_when_room_is_made_the_idlest_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgvigil.web.server._MOST_CONNECTIONS", 4)
    with guarded(folder) as running, ExitStack() as stack:
        first, *others = idle(running, stack, 4)
        assert running.ask().status == 200
        assert closed(first)
        others[-1].sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert others[-1].recv(12) == b"HTTP/1.1 200"


def closed(client: socket.socket) -> bool:
    """Wait for the server's last word."""
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return True


def owing_nothing(client: socket.socket) -> None:
    """Say nothing at all."""


def half_a_head(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")


def a_head_without_end(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
    try:
        for _ in range(2000):
            client.sendall(b"x")
            time.sleep(0.005)
    except OSError:
        return


def half_a_body(client: socket.socket) -> None:
    client.sendall(
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n"
        b"Authorization: Bearer wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww\r\n\r\nx"
    )


def half_a_second_head(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /")


def an_answer_that_is_not_taken(client: socket.socket) -> None:
    client.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")


@pytest.mark.parametrize(
    "behave",
    [
        owing_nothing,
        half_a_head,
        a_head_without_end,
        half_a_body,
        half_a_second_head,
        an_answer_that_is_not_taken,
    ],
)
def test_what_a_client_owes_has_an_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch, behave: Callable[[socket.socket], None]
) -> None:
    for owed in connections.PATIENCE:
        monkeypatch.setitem(connections.PATIENCE, owed, 0.2)
    with guarded(
        folder, "tokens: {writer: {token: wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww, scope: write}}"
    ) as running:
        with socket.create_connection(("127.0.0.1", running.web.port), 30) as client:
            behave(client)
            until(lambda: not running.web._server.server_state.connections)
            assert closed(client)
        assert running.ask().status == 200


def test_requests_that_are_none_do_not_fill_the_log(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    nonsense = b"nonsense\r\n\r\n"
    upgrade = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: b\r\nConnection: upgrade\r\n\r\n"
    with guarded(folder) as running:
        for said in (nonsense, upgrade):
            with socket.create_connection(("127.0.0.1", running.web.port), 30) as client:
                client.sendall(said)
                assert client.recv(8) == b"HTTP/1.1"
    assert caplog.text == ""


def test_a_handshake_has_an_end(folder: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgvigil.web.server._HANDSHAKE_SECONDS", 0.2)
    with (
        guarded(folder, file=tls(authority.write(folder))) as running,
        socket.create_connection(("127.0.0.1", running.web.port), 30) as client,
    ):
        assert closed(client)
        assert running.ask(context=authority.client()).status == 200


def test_an_idle_client_over_tls_does_not_hold_up_the_end(folder: Path, authority: Authority) -> None:
    with (
        guarded(folder, file=tls(authority.write(folder))) as running,
        closing(running.connect(authority.client())) as kept,
        ExitStack() as stack,
    ):
        kept.request("GET", "/")
        kept.getresponse().read()
        idle(running, stack, 3)
        assert running.web.stop()
        with socket.create_server(("127.0.0.1", running.web.port)):
            pass


def test_the_daemon_itself_is_guarded_and_follows_its_files(folder: Path, authority: Authority) -> None:
    file = folder / "pgvigil.yaml"
    configuration(folder, "listen: 0.0.0.0:0", tls(authority.write(folder, "first")))
    file.write_text(f"state: sqlite:///{folder}/state.db\n{file.read_text()}")

    def ask(headers: dict[str, str]) -> int:
        with closing(
            HTTPSConnection("127.0.0.1", port, timeout=30, context=authority.client())
        ) as connection:
            connection.request("GET", "/api/v1/config", headers=headers)
            return connection.getresponse().status

    with daemon(file) as running:
        assert running.address.startswith("https://127.0.0.1:")
        port = int(running.address.rstrip("/").rpartition(":")[2])
        assert "everybody who reaches 0.0.0.0:0 may read" in running.log.read_text()
        assert ask({}) == 200
        (folder / "web.yml").write_text(tls(authority.write(folder, "second")) + USERS)
        until(lambda: ask({}) == 401)
        assert ask(basic()) == 200
        assert running.terminate() == 0
