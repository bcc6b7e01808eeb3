"""How an Alertmanager is spoken to over HTTP: by a server that answers as it is told."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.config.notifying import Alertmanager
from pgvigil.notify import client as module
from pgvigil.notify.client import Client, Outcome, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "Correct-Horse-Battery"


@dataclass
class Server:
    """A server that remembers what it was asked, and answers with `status` and `body`."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked.append((self.path, dict(self.headers), json.loads(body)))
            server.connections.add(self.client_address)
            self.send_response(server.status)
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(server.body)))
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
            pass

    class Running(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is what is tested."""

    server = Server()
    with Running(("127.0.0.1", 0), Handler) as running:
        server.port = running.server_address[1]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            running.socket = context.wrap_socket(running.socket, server_side=True)
        thread = Thread(target=running.serve_forever, args=[0.02], daemon=True)
        thread.start()
        yield server
        running.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@contextmanager
def client(url: str, ca_file: Path | None = None, **settings: str) -> Iterator[Client]:
    one = Client(Alertmanager.model_validate({"url": url, **settings}), ca_file)
    yield one
    one.close()


def test_alerts_are_sent_in_one_request_and_the_time_of_the_answer_is_known(server: Server) -> None:
    alerts = [{"labels": {"alertname": "ä\ud800"}}]
    with client(f"{server.url}/prefix/") as send:
        answer = send(alerts)
    assert answer.outcome is Outcome.ACCEPTED
    assert answer.at is not None
    assert abs(answer.at - datetime.now(UTC)) < timedelta(minutes=5)
    ((path, headers, body),) = server.asked
    assert (path, body) == ("/prefix/api/v2/alerts", alerts)
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in headers


def test_a_connection_is_used_again(server: Server) -> None:
    with client(server.url) as send:
        server.body = b"x" * 5000
        for server.status in (200, 400, 200):
            send([])
    assert len(server.connections) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_wrong_with_the_alerts_is_refused(server: Server, status: int) -> None:
    server.status, server.body = status, b"alert of row 4711 is wrong"
    with client(server.url) as send:
        answer = send([])
    assert (answer.outcome, answer.heard, answer.reason) == (Outcome.REFUSED, True, f"HTTP {status}")


@pytest.mark.parametrize("status", [302, 401, 403, 404, 408, 429, 500, 503])
def test_what_is_wrong_with_the_alertmanager_is_a_failure(server: Server, status: int) -> None:
    server.status, server.headers = status, {"Location": "/elsewhere"}
    with client(server.url) as send:
        answer = send([])
    assert (answer.outcome, answer.heard, answer.reason) == (Outcome.FAILED, True, f"HTTP {status}")
    assert len(server.asked) == 1, "nothing is followed and nothing tried again"


def test_where_nobody_listens_nobody_has_heard() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        url = f"http://127.0.0.1:{busy.getsockname()[1]}"
    with client(url) as send:
        answer = send([])
    assert (answer.outcome, answer.heard) == (Outcome.FAILED, False)
    assert answer.reason == "connection refused"


def test_a_name_that_is_not_there_is_nobody_who_has_heard() -> None:
    with client("http://alertmanager.invalid:9093") as send:
        answer = send([])
    assert (answer.outcome, answer.heard) == (Outcome.FAILED, False)
    assert answer.reason.startswith("its name is not found: ")


def test_an_answer_that_does_not_come_is_not_waited_for_and_may_have_been_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_ANSWER_SECONDS", 0.05)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        client(f"http://127.0.0.1:{silent.getsockname()[1]}") as send,
    ):
        answer = send([])
    assert (answer.outcome, answer.heard) == (Outcome.FAILED, True)
    assert answer.reason == "no answer in time"


def test_a_connection_that_breaks_may_have_been_heard() -> None:
    heard = Event()

    def hang_up(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line:
            line.recv(10)
            heard.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=hang_up, args=[listener], daemon=True).start()
        with client(f"http://127.0.0.1:{listener.getsockname()[1]}") as send:
            answer = send([])
    assert heard.is_set()
    assert (answer.outcome, answer.heard) == (Outcome.FAILED, True)
    assert answer.reason in ("it closed the connection without an answer", "connection reset by peer")


def test_an_answer_without_end_is_not_read_to_its_end(server: Server) -> None:
    server.body = b"x" * 1_000_000
    with client(server.url) as send:
        assert [send([]).outcome for _ in range(3)] == [Outcome.ACCEPTED] * 3


def test_an_answer_without_a_time_is_one_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_: "yesterday")
    with client(server.url) as send:
        assert send([]).at is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"token": SECRET}, f"Bearer {SECRET}"),
        (
            {"username": "ödön", "password": SECRET},
            "Basic " + base64.b64encode(f"ödön:{SECRET}".encode()).decode(),
        ),
    ],
)
def test_it_authenticates(server: Server, settings: dict[str, str], expected: str) -> None:
    with client(server.url, **settings) as send:
        send([])
    assert server.asked[0][1]["Authorization"] == expected


@pytest.mark.parametrize("broken", [f"{SECRET}\nX: y", f"{SECRET}€"])
def test_a_secret_that_cannot_be_sent_is_not_repeated(server: Server, broken: str) -> None:
    with client(server.url, token=broken) as send:
        answer = send([])
        assert SECRET not in repr(send)
    assert (answer.outcome, answer.heard) == (Outcome.FAILED, False)
    assert SECRET not in repr(answer)
    assert server.asked == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, in one file."""
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=alertmanager", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(file), "-out", f"{file}.crt"]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


def test_an_authority_of_ones_own_is_trusted(certificate: Path) -> None:
    with (
        serving(certificate) as server,
        client(f"https://127.0.0.1:{server.port}", Path(f"{certificate}.crt")) as send,
    ):
        assert send([]).outcome is Outcome.ACCEPTED


def test_without_it_nothing_is_said(certificate: Path) -> None:
    with (
        serving(certificate) as server,
        client(f"https://127.0.0.1:{server.port}", token=SECRET) as send,
    ):
        answer = send([])
    assert answer.outcome is Outcome.FAILED
    assert answer.reason.startswith("its certificate is not trusted: self")
    assert server.asked == []


def test_a_certificate_for_another_name_is_not_trusted(certificate: Path) -> None:
    with (
        serving(certificate) as server,
        client(f"https://localhost:{server.port}", Path(f"{certificate}.crt")) as send,
    ):
        answer = send([])
    assert answer.reason.startswith("its certificate is not trusted: Hostname mismatch")
    assert server.asked == []


def test_where_there_is_no_tls_the_log_says_so(server: Server) -> None:
    with client(server.url.replace("http:", "https:")) as send:
        answer = send([])
    assert answer.outcome is Outcome.FAILED
    assert answer.reason.startswith("TLS failed: ")


def test_a_file_of_certificates_that_is_missing_is_named_and_may_come_later(
    certificate: Path, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    with serving(certificate) as server, client(f"https://127.0.0.1:{server.port}", file) as send:
        answer = send([])
        assert answer.outcome is Outcome.FAILED
        assert str(file) in answer.reason
        file.write_text("no certificate")
        assert send([]).reason == f"{file}: no certificate can be read from it"
        file.write_text(Path(f"{certificate}.crt").read_text())
        assert send([]).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://alertmanager:9093", "alertmanager:9093"),
        ("https://alerts.example.org", "alerts.example.org:443"),
        ("http://alerts.example.org/team/a", "alerts.example.org:80/team/a"),
        ("http://[::1]:9093", "[::1]:9093"),
    ],
)
def test_it_is_called_by_host_and_port(url: str, name: str) -> None:
    assert name_of(url) == name
