"""`pgvigil deployment mark` against a real web server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pgvigil.store import Store
from pgvigil.web.access import Caller, Rules
from pgvigil.web.security import Security
from tests.cli.command import pgvigil
from tests.web.conftest import Site, serve

__all__ = ["serve"]

WRITER, READER = "w" * 32, "r" * 32
RULES = Rules(tokens={WRITER.encode(): Caller("ci", "write"), READER.encode(): Caller("ro", "read")})


@pytest.fixture
def site(tmp_path: Path, serve: Callable[..., Site]) -> Iterator[Site]:
    with Store.open(f"sqlite:///{tmp_path}/state.db") as store:
        yield serve(store, Security(RULES))


def mark(site: Site, *arguments: str, token: str = WRITER) -> tuple[int, str, str]:
    told = pgvigil("deployment", "mark", "--url", site.url(), *arguments, PGVIGIL_TOKEN=token)
    return told.status, told.out, told.err


def test_a_deployment_is_marked_and_examined(site: Site) -> None:
    status, out, err = mark(site, "--version", "2031.5", "--at", "2031-05-06T02:00:00Z")
    assert (status, err) == (0, "")
    assert out == (
        "marked games 2031.5 at 2031-05-06T02:00:00Z\nexamining games/orphan_rows, games/table_drift\n"
    )
    assert [(one.version, one.marked_by) for one in site.store.deployments()] == [("2031.5", "ci")]


def test_the_token_may_come_from_a_file_and_nothing_be_examined(site: Site, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{WRITER}\n")
    arguments = ("--version", "v1", "--target", "games", "--no-examine", "--token-file", f"{tmp_path}/token")
    assert mark(site, *arguments, token="") == (0, "marked games v1 at 2031-05-06T03:00:00Z\n", "")
    assert site.control.hurried == []


@pytest.mark.parametrize(
    ("arguments", "token", "status", "words"),
    [
        ((), "", 2, "no token: give --token-file FILE or $PGVIGIL_TOKEN"),
        ((), READER, 2, "403: ro has the scope read; this needs write"),
        ((), "x" * 32, 2, "401: these credentials are not valid"),
        (("--target", "shop"), WRITER, 2, "404: there is no target shop, only games"),
        (("--at", "yesterday"), WRITER, 2, "422: at: "),
        (("--token-file", "/nowhere"), WRITER, 2, "--token-file /nowhere: No such file or directory"),
        (("--ca-file", "/nowhere"), WRITER, 2, "--ca-file /nowhere cannot be read"),
    ],
)
def test_a_refusal_is_one_line(
    site: Site, arguments: tuple[str, ...], token: str, status: int, words: str
) -> None:
    found, out, err = mark(site, "--version", "v1", *arguments, token=token)
    assert (found, out) == (status, "")
    assert words in err
    assert len(err.splitlines()) == 1
    assert token == "" or token not in err
    assert site.store.deployments() == []


def test_what_is_no_web_server_is_told_in_words(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=_hang_up, args=(other,), daemon=True).start()
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        status, out, err = mark(site, "--version", "v1", "--url", url)
    assert (status, out) == (3, "")
    assert "what listens there does not answer as a web server; is pgvigil running there?" in err
    assert len(err.splitlines()) == 1


def test_tls_where_there_is_none_is_told_in_words(site: Site) -> None:
    status, out, err = mark(site, "--version", "v1", "--url", site.url().replace("http://", "https://"))
    assert (status, out) == (3, "")
    assert "what listens there speaks no TLS: an address with http:// may be meant" in err
    assert len(err.splitlines()) == 1


def _hang_up(server: socket.socket) -> None:
    """Take what is sent and close, as a database does that is asked for a web page."""
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            with client:
                client.recv(65536)


def test_a_daemon_that_is_not_there_is_exit_3(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        status, out, err = mark(site, "--version", "v1", "--url", url)
    assert (status, out) == (3, "")
    assert "connection refused" in err
    assert len(err.splitlines()) == 1


def test_a_page_that_answers_instead_is_no_daemon(site: Site, tmp_path: Path) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            """Keep the test's stderr to what pgvigil says."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.handle_request).start()
        url = f"http://127.0.0.1:{server.server_port}"
        status, out, err = mark(site, "--version", "v1", "--url", url)
    assert (status, out) == (3, "")
    assert "200: no pgvigil answers there" in err
    assert len(err.splitlines()) == 1


def test_an_address_that_makes_no_sense_is_one_line(site: Site) -> None:
    for url in ("nonsense", "ftp://somewhere", "http://"):
        status, _, err = mark(site, "--version", "v1", "--url", url)
        assert status == 2
        assert err.startswith(f"pgvigil: --url {url}: expected an address such as https://")
        assert len(err.splitlines()) == 1
