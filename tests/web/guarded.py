"""A small app behind the guard, on a real server, and what its clients need: certificates, passwords."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import bcrypt
import trustme
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pgvigil.config import Config, load
from pgvigil.web.guard import protection
from pgvigil.web.security import LiveSecurity, Security
from pgvigil.web.server import WebServer
from tests.web.conftest import Answer

TOKENS = {"reader": "r" * 32, "writer": "w" * 32}
PASSWORD = "correct horse"
# The salt is always the same, so that every process of a test run has the same.
HASHED = bcrypt.hashpw(PASSWORD.encode(), b"$2b$04$" + b"." * 22).decode()
USERS = f"basic_auth_users: {{alice: {HASHED}}}\n"
WITH_TOKENS = (
    f"tokens: {{reader: {{token: {TOKENS['reader']}}}, writer: {{token: {TOKENS['writer']}, scope: write}}}}"
)


def basic(user: str = "alice", password: str = PASSWORD) -> dict[str, str]:
    """Return the header that a browser sends for a user."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(name: str) -> dict[str, str]:
    """Return the header of one of `TOKENS`."""
    return {"Authorization": f"Bearer {TOKENS[name]}"}


def configuration(folder: Path, web: str = "", file: str | None = None) -> Config:
    """Write a configuration with these settings of `web`, and its web configuration, and load it."""
    lines = ["listen: 127.0.0.1:0"] if "listen:" not in web else []
    lines += [web] if web else []
    if file is not None:
        (folder / "web.yml").write_text(file)
        lines.append("config_file: web.yml")
    path = folder / "pgvigil.yaml"
    path.write_text("targets: {a: {dsn: dbname=a}}\nweb:\n" + "".join(f"  {line}\n" for line in lines))
    return load(path)


async def _who(request: Request) -> Response:
    caller = request.state.caller
    body = (await request.body()).decode()
    return JSONResponse({"name": caller.name, "scope": caller.scope, "body": body})


async def _ready(request: Request) -> Response:
    return PlainTextResponse("the reason" if request.state.caller.may_read else "not ready")


async def _metrics(_: Request) -> Response:
    return PlainTextResponse("pgvigil_sample 1\n")


async def _large(_: Request) -> Response:
    return PlainTextResponse("x" * 50_000_000)


def app(security: LiveSecurity) -> Starlette:
    """Make an app that says who asked."""
    return Starlette(
        routes=[
            Route("/", _who, methods=["GET", "OPTIONS", "POST", "DELETE"]),
            Route("/metrics", _metrics),
            Route("/large", _large),
            Route("/api/v1/incidents", _who, methods=["GET", "POST"]),
            Route("/-/healthy", _ready),
            Route("/-/ready", _ready),
        ],
        middleware=protection(security),
    )


@dataclass
class Guarded:
    """The running server."""

    folder: Path
    security: LiveSecurity
    web: WebServer = field(init=False)

    def __post_init__(self) -> None:
        self.web = WebServer(app(self.security), "127.0.0.1", 0, self.security)

    def ask(
        self,
        path: str = "/",
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> Answer:
        connection = self.connect(context)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def connect(self, context: ssl.SSLContext | None = None) -> HTTPConnection:
        """Return a connection to it, over TLS with a context."""
        if context is None:
            return HTTPConnection("127.0.0.1", self.web.port, timeout=30)
        return HTTPSConnection("127.0.0.1", self.web.port, timeout=30, context=context)

    def configure(self, web: str = "", file: str | None = None) -> None:
        """Take another configuration into force, as the daemon's reload does."""
        self.security.take(Security.of(configuration(self.folder, web, file)))

    def write(self, file: str) -> None:
        """Change the web configuration alone."""
        (self.folder / "web.yml").write_text(file)

    def settle(self) -> bool | None:
        """Look until what was written has come to rest and is read; return what came of it."""
        first = self.security.look()
        return self.security.look() if first is None else first


@contextmanager
def guarded(folder: Path, web: str = "", file: str | None = None) -> Iterator[Guarded]:
    """Run the server for the time of the block."""
    running = Guarded(folder, LiveSecurity(Security.of(configuration(folder, web, file))))
    running.web.start()
    try:
        yield running
    finally:
        running.web.stop()


@dataclass
class Authority:
    """Makes certificates, and clients that trust them."""

    ca: trustme.CA = field(default_factory=trustme.CA)

    def write(self, folder: Path, name: str = "server", *names: str) -> str:
        """Write `NAME.pem` and `NAME.key`; return the lines of `tls_server_config` that name them."""
        leaf = self.ca.issue_cert(*(names or ("127.0.0.1", "localhost")), common_name=name)
        (folder / f"{name}.key").write_bytes(leaf.private_key_pem.bytes())
        (folder / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        return f"  cert_file: {name}.pem\n  key_file: {name}.key\n"

    def file(self, folder: Path, name: str) -> Path:
        """Write the authority's own certificate."""
        path = folder / name
        self.ca.cert_pem.write_to_path(str(path))
        return path

    def client(self, *names: str) -> ssl.SSLContext:
        """Return what a client needs that trusts us; with names it has a certificate of its own for them."""
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if names:
            self.ca.issue_cert(*names).configure_cert(context)
        return context


def tls(lines: str, more: str = "") -> str:
    """Return a web configuration with TLS."""
    return f"tls_server_config:\n{lines}{more}"
