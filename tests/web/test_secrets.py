"""No secret is in anything that a daemon says when all goes wrong: log, pages, metrics, API, errors."""

from __future__ import annotations

import base64
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import psycopg
import pytest

from pgvigil.embedded.server import HOST
from tests.cli.command import pgvigil
from tests.cli.conftest import BROKEN as ORPHANS
from tests.cli.conftest import SOUND
from tests.daemon.process import Daemon, daemon, until
from tests.web.guarded import HASHED, basic

if TYPE_CHECKING:
    from pgvigil.embedded import Server

# Words that stand nowhere else; as short as a password that people choose, and as long as a token.
SECRETS = {
    "DSN_PASSWORD": "dsn-pa55w0rd",
    "STORE_PASSWORD": "store-pa55w0rd",
    "READ_TOKEN": "read-t0ken-0123456789",
    "WRITE_TOKEN": "write-t0ken-0123456789",
    "ALERTMANAGER_PASSWORD": "alertmanager-pa55w0rd",
    "ALERTMANAGER_TOKEN": "alertmanager-t0ken",
    "GUESS": "gue55ed-pa55w0rd",
    "NUMBER": "202512319876",
    "PLAIN": "pla1n-pa55w0rd",
}
KEY = "MIIE-pr1vate-key"

CONFIGURATION = """
state: {state}
log: {{level: debug}}
web:
  listen: 127.0.0.1:0
  config_file: web.yml
  tokens:
    reader: {{token: {READ_TOKEN}}}
    writer: {{token: !env WRITE_TOKEN, scope: write}}
notify:
  alertmanagers:
    - {{url: "http://127.0.0.1:1", username: pgvigil, password: {ALERTMANAGER_PASSWORD}}}
    - {{url: "http://127.0.0.1:2", token: !env ALERTMANAGER_TOKEN}}
targets:
  shop: {{dsn: "{dsn}", every: 1s}}
  stranger: {{dsn: "{stranger}", every: 1s}}
  down: {{dsn: "postgresql://u:{DSN_PASSWORD}@127.0.0.1:1/d", every: 1s}}
  nowhere: {{dsn: "host=no-such-host.invalid user=u password='{DSN_PASSWORD}'", every: 1s}}
"""

# What is wrong about each, and where a secret stands in it.
BROKEN = {
    "a token without its key": ("reader: {token: READ_TOKEN}", "reader: PLAIN"),
    "a token that is a number": ("reader: {token: READ_TOKEN}", "reader: {token: NUMBER}"),
    "a token that is a list": ("reader: {token: READ_TOKEN}", "reader: {token: [PLAIN]}"),
    "a token that is too short": ("reader: {token: READ_TOKEN}", "reader: {token: PLAIN}"),
    "a token that YAML reads": ("reader: {token: READ_TOKEN}", "reader: {token: *PLAIN}"),
    "an imported value of the wrong type": ("every: 1s", "every: !env WRITE_TOKEN"),
    "a password that is a number": ("password: ALERTMANAGER_PASSWORD", "password: NUMBER"),
    "a password in an address": ("http://127.0.0.1:2", "http://u:PLAIN@127.0.0.1:2"),
    "a password beside a token": (
        "token: !env ALERTMANAGER_TOKEN",
        "token: PLAIN, username: u, password: GUESS",
    ),
    "a list for a dsn": ('"postgresql://u:DSN_PASSWORD@127.0.0.1:1/d"', "[DSN_PASSWORD]"),
    "a number for a dsn": ('"postgresql://u:DSN_PASSWORD@127.0.0.1:1/d"', "NUMBER"),
    "a dsn that is none": (
        '"postgresql://u:DSN_PASSWORD@127.0.0.1:1/d"',
        '"postgresql://u:DSN_PASSWORD@[::1"',
    ),
    "an option that libpq does not know": ("host=no-such-host.invalid", "hots=PLAIN"),
    "a state store that is none": ("postgresql+psycopg://", "mysql://"),
    "a state store that is another": ("state: ", "state: sqlite:///PLAIN.db #"),
}
BROKEN_WEB = {
    "a password for a hash": "basic_auth_users: {alice: PLAIN}",
    "a number for a hash": "basic_auth_users: {alice: NUMBER}",
    "users without passwords": "basic_auth_users: PLAIN",
    "a key in place": "tls_server_config: {cert: PLAIN, key: KEY}",
    "a hash cut short": f"basic_auth_users: {{alice: {HASHED[:-1]}}}",
}


def filled(text: str) -> str:
    """Put the secrets where their names stand."""
    for name, secret in {**SECRETS, "KEY": KEY}.items():
        if f"!env {name}" not in text:
            text = text.replace(name, secret)
    return text


@dataclass
class Told:
    """A daemon, and all that it says."""

    running: Daemon
    said: list[str] = field(default_factory=list)

    def ask(self, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> int:
        """Ask over HTTP and keep the whole answer."""
        method = "GET" if body is None else "POST"
        request = Request(  # noqa: S310 - our own loopback
            self.running.address + path,
            body,
            {"Content-Type": "application/json", **(headers or {})},
            method=method,
        )
        try:
            answer = urlopen(request, timeout=30)  # noqa: S310
        except HTTPError as error:
            answer = error
        with answer:
            self.said.append(f"{path}: {answer.headers}\n{answer.read().decode()}")
            return int(answer.status)

    def everything(self) -> str:
        """Return all that it said, in its log as well."""
        return "\n".join([*self.said, self.running.log.read_text()])


WRITER = {"Authorization": f"Bearer {SECRETS['WRITE_TOKEN']}"}


@pytest.fixture
def state(own_server: Server) -> str:
    """A state store on PostgreSQL that is asked for a password, beside a target that is, too."""
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        for role in ("STORE", "DSN"):
            conn.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{SECRETS[f'{role}_PASSWORD']}'")
        conn.execute("CREATE DATABASE state")
        conn.execute(SOUND)
        conn.execute(ORPHANS)
    return _state(own_server.port)


@pytest.fixture
def file(tmp_path: Path, own_server: Server, state: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration full of secrets, most of whose targets cannot be reached."""
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    return configured(tmp_path, state, own_server.port)


def configured(directory: Path, state: str, port: int) -> Path:
    """Write a configuration full of secrets, with two targets on a port of this host."""
    (directory / "web.yml").write_text(f"basic_auth_users: {{alice: {HASHED}}}\n")
    path = directory / "pgvigil.yaml"
    dsn, stranger = (_dsn(port, user, "DSN_PASSWORD") for user in ("dsn", "stranger"))
    path.write_text(CONFIGURATION.format(state=state, dsn=dsn, stranger=stranger, **SECRETS))
    return path


def _dsn(port: int, user: str, password: str, database: str = "postgres") -> str:
    return f"postgresql://{user}:{SECRETS[password]}@{HOST}:{port}/{database}"


def _state(port: int) -> str:
    return _dsn(port, "store", "STORE_PASSWORD", "state").replace("postgresql://", "postgresql+psycopg://")


def leaks(text: str) -> list[str]:
    """Return what is found of the secrets, as they are or as an address or a header carries them."""
    found = []
    for secret in (*SECRETS.values(), KEY, HASHED, HASHED[29:]):
        encoded = base64.b64encode(secret.encode()).decode().rstrip("=")[:-2]
        found += [form for form in (secret, quote(secret, safe=""), encoded) if form in text]
    return found


PATHS = (
    "",
    "incidents",
    "incidents?state=resolved",
    "incidents/1",
    "targets/shop",
    "targets/down?state=unknown",
    "targets/stranger?state=unknown",
    "metrics",
    "runbooks",
    "nothing",
    "-/healthy",
    "-/ready",
    "api/v1/targets",
    "api/v1/checks",
    "api/v1/coverage",
    "api/v1/underway",
    "api/v1/subjects?target=down",
    "api/v1/incidents",
    "api/v1/incidents/1",
    "api/v1/runs?target=down",
    "api/v1/deployments",
    "api/v1/config",
    "api/v1/openapi.json",
    "api/v1/nothing",
)


def test_a_search_for_secrets_finds_them() -> None:
    for secret in SECRETS.values():
        header = base64.b64encode(secret.encode()).decode()
        assert leaks(f"… {secret} …")
        assert leaks(f"… {header} …")


def test_a_daemon_that_meets_every_trouble_tells_no_secret(file: Path, state: str) -> None:
    good, web = file.read_text(), file.with_name("web.yml")
    with daemon(file) as running:
        told = Told(running)
        _wait_for_troubles(told)
        for path in PATHS:
            expected = 404 if path.endswith(("nothing", "/1")) else 200
            assert told.ask(path, WRITER) == expected, path
            told.ask(path)
            told.ask(path, basic("alice", SECRETS["GUESS"]))
            told.ask(path, {"Authorization": f"Bearer {SECRETS['GUESS']}"})
        for path in ("api/v1/deployments", "api/v1/runs", "api/v1/incidents/1/mute", "-/reload"):
            told.ask(path, WRITER, b'{"nonsense": true}')
            told.ask(path, basic(), b"no json")
        for words, (old, new) in BROKEN.items():
            changed = good.replace(filled(old), filled(new))
            assert changed != good, words
            file.write_text(changed)
            assert told.ask("-/reload", WRITER, b"") == 500, words
            running.process.send_signal(signal.SIGHUP)
        file.write_text(good)
        for text in BROKEN_WEB.values():
            before = running.log.read_text().count("web configuration is broken")
            web.write_text(filled(text))
            until(
                lambda: running.log.read_text().count("web configuration is broken"),
                lambda now, before=before: now > before,
            )
            assert told.ask("-/reload", WRITER, b"") == 500, text
        _break_the_store(told, state)
        assert told.ask("-/ready", WRITER) == 503
        for path in PATHS:
            told.ask(path, WRITER)
        assert running.terminate() == 0
    everything = told.everything()
    for words in (
        "login refused",
        "target is down",
        "configuration not taken into force",
        "web configuration is broken",
        "results are not being recorded",
        "127.0.0.1:1",
        "no-such-host.invalid",
        'for user \\"stranger\\"',
    ):
        assert words in everything
    assert leaks(everything) == []


def _wait_for_troubles(told: Told) -> None:
    def seen() -> bool:
        told.ask("metrics", WRITER)
        metrics, log = told.said[-1], told.running.log.read_text()
        return (
            log.count('"event": "target is down"') == 3
            and 'pgvigil_incidents{check="orphan_rows"' in metrics
            and "pgvigil_notifications_failed_total{" in metrics
        )

    until(seen)


def _break_the_store(told: Told, state: str) -> None:
    with psycopg.connect(state.replace("+psycopg", ""), autocommit=True) as conn:
        conn.execute("DROP TABLE runs CASCADE")
    until(
        lambda: (
            "results are not being recorded" in told.running.log.read_text()
            or told.ask("-/ready", WRITER) == 503
        )
    )


@pytest.mark.parametrize("words", BROKEN)
def test_no_command_tells_a_secret_of_a_broken_configuration(tmp_path: Path, words: str) -> None:
    """They come to no server: the file is wrong, or the state store is nowhere."""
    file, (old, new) = configured(tmp_path, _state(port=1), port=1), BROKEN[words]
    file.write_text(file.read_text().replace(filled(old), filled(new)))
    for command in (
        ["config", "check", file],
        ["run", "--config", file, "--state", "sqlite:////nowhere/x.db"],
    ):
        answer = pgvigil(*command, **SECRETS)
        assert leaks(answer.out + answer.err) == []
