"""How an Alertmanager is spoken to over HTTP: by a server that answers as it is told."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import subprocess
from contextlib import contextmanager, suppress
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
    answers: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Give no answer in this block."""
        self.answers.clear()
        yield
        self.answers.set()


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked.append((self.path, dict(self.headers), json.loads(asked)))
            server.connections.add(self.client_address)
            server.answers.wait()
            self.send_response(server.status)
            for name, value in server.headers.items():
                self.send_header(name, value)
            body = server.body
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
            pass

    class Running(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is what is tested."""

    server = Server()
    server.answers.set()
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
        for server.status, server.body in ((200, b""), (400, b"x" * 5000), (200, b"")):
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


@contextmanager
def dripping(*parts: bytes, certificate: Path | None = None) -> Iterator[str]:
    """Answer every request with the first parts at once, and with the last one again and again."""

    def answer(line: socket.socket) -> None:
        with suppress(OSError), line:
            if context:
                line = context.wrap_socket(line, server_side=True)
            line.recv(1000)
            line.sendall(b"".join(parts[:-1]))
            while not over.wait(0.01):
                line.sendall(parts[-1])
            line.close()

    def listen() -> None:
        with suppress(OSError):
            while True:
                Thread(target=answer, args=[listener.accept()[0]], daemon=True).start()

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=listen, daemon=True).start()
        scheme = "https" if certificate else "http"
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)


DRIPS = {
    "status": (b"HTTP/1.1 200 O", b"K"),
    "headers": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b" "),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "refusal": (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 60000\r\n\r\n", b" "),
    "beginnings": (b"HTTP/1.1 100 Continue\r\n\r\n",),
}


@pytest.mark.parametrize("parts", DRIPS.values(), ids=DRIPS)
def test_an_answer_in_drops_is_given_up_and_may_have_been_heard(
    parts: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of its drops is late, so that only a bound on the whole ends it."""
    monkeypatch.setattr(module, "_WHOLE_SECONDS", 0.2)
    with dripping(*parts) as url, client(url) as send:
        answers = [send([]) for _ in range(2)]
    assert [(one.outcome, one.heard, one.reason) for one in answers] == [
        (Outcome.FAILED, True, "no whole answer in time")
    ] * 2


def test_an_answer_in_drops_over_tls_is_given_up(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WHOLE_SECONDS", 0.5)
    with (
        dripping(*DRIPS["body"], certificate=certificate) as url,
        client(url, Path(f"{certificate}.crt")) as send,
    ):
        answer = send([])
    assert (answer.outcome, answer.heard, answer.reason) == (Outcome.FAILED, True, "no whole answer in time")


def test_a_connection_that_is_used_again_is_given_up_too(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with client(server.url) as send:
        assert send([]).outcome is Outcome.ACCEPTED
        monkeypatch.setattr(module, "_WHOLE_SECONDS", 0.2)
        with server.held():
            assert send([]).reason == "no whole answer in time"
        monkeypatch.undo()
        assert send([]).outcome is Outcome.ACCEPTED
    assert len(server.connections) == 2


NOT_AN_ALERTMANAGERS = {
    "a welcome page": ("text/html", b"<html>Welcome to nginx!</html>"),
    "nothing as HTML": ("text/html; charset=utf-8", b""),
    "another API": ("application/json", b'{"status": "success"}'),
    "without an end": ("text/plain", b"x" * 1_000_000),
}


@pytest.mark.parametrize(("kind", "body"), NOT_AN_ALERTMANAGERS.values(), ids=NOT_AN_ALERTMANAGERS)
def test_who_answers_with_a_text_that_all_is_well_is_no_alertmanager(
    server: Server, kind: str, body: bytes
) -> None:
    server.headers, server.body = {"Content-Type": kind}, body
    with client(server.url) as send:
        answers = [send([]) for _ in range(3)]
    what = "HTML" if "html" in kind else "a text"
    assert {(one.outcome, one.heard, one.reason) for one in answers} == {
        (Outcome.FAILED, True, f"no Alertmanager answers there: HTTP 200 with {what}")
    }


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [(200, {}, b""), (200, {"Content-Type": "application/json"}, b""), (202, {}, b""), (200, {}, b"\r\n")],
)
def test_an_empty_answer_is_an_alertmanagers(
    server: Server, status: int, headers: dict[str, str], body: bytes
) -> None:
    server.status, server.headers, server.body = status, headers, body
    with client(server.url) as send:
        assert send([]).outcome is Outcome.ACCEPTED


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


def test_a_secret_is_not_shown(server: Server) -> None:
    server.status = 401
    with client(server.url, token=SECRET) as send:
        answer = send([])
        assert SECRET not in repr(send)
    assert SECRET not in repr(answer)


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
