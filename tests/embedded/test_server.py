"""What a caller of `serve` may rely on."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.embedded import serve
from pgvigil.embedded import server as server_module
from pgvigil.errors import EmbeddedError

if TYPE_CHECKING:
    from pgvigil.embedded import Server


def ask(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(query).fetchone()
    return row[0] if row else None


@pytest.mark.every_pg
def test_a_server_is_ready_and_holds_utf8(own_server: Server, pg_version: int) -> None:
    assert own_server.version == pg_version
    assert ask(own_server.dsn(), "SHOW server_encoding") == "UTF8"
    assert ask(own_server.dsn(), "SELECT 'ø→🎲'") == "ø→🎲"
    assert ask(own_server.dsn(), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True


@pytest.mark.every_pg
def test_data_survive_a_restart_and_a_crash(own_server: Server) -> None:
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 1 AS n")
    first = own_server.pid
    own_server.restart()
    own_server.restart("immediate")
    os.kill(own_server.pid, signal.SIGKILL)
    own_server.start()
    assert own_server.pid != first
    assert ask(own_server.dsn(), "SELECT n FROM kept") == 1


def test_a_stopped_server_has_no_pid_and_starts_again(own_server: Server) -> None:
    own_server.stop()
    with pytest.raises(EmbeddedError, match="is not running"):
        _ = own_server.pid
    with pytest.raises(EmbeddedError, match="does not stop"):
        own_server.stop()
    own_server.start()
    assert ask(own_server.dsn(), "SELECT 1") == 1


def test_every_database_and_role_asks_for_the_password(pg_server: Server) -> None:
    rules = "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules"
    assert ask(pg_server.dsn(), rules) == "scram-sha-256"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(make_conninfo(pg_server.dsn(), password="wrong"))
    assert pg_server.password not in repr(pg_server)


def test_it_listens_on_the_loopback_interface_alone(pg_server: Server) -> None:
    assert ask(pg_server.dsn(), "SHOW listen_addresses") == "127.0.0.1"
    assert ask(pg_server.dsn(), "SHOW unix_socket_directories") == ""


def test_the_dsn_quotes_the_name_of_the_database(pg_server: Server) -> None:
    assert pg_server.dsn("a b/ü?").endswith("/a%20b%2F%C3%BC%3F")


def test_settings_override_the_defaults() -> None:
    settings = {"fsync": "on", "cluster_name": r"it's a \ test"}
    with serve(settings=settings) as server:
        assert {name: ask(server.dsn(), f"SHOW {name}") for name in settings} == settings


def test_the_environment_does_not_change_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "LC_ALL": "xx_XX", "PGOPTIONS": "-c x"}.items():
        monkeypatch.setenv(name, value)
    with serve() as server:
        monkeypatch.undo()
        assert ask(server.dsn(), "SHOW lc_messages") == "C"


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"no_such_setting": "1"}, 'unrecognized configuration parameter "no_such_setting"'),
        ({"shared_buffers": "plenty"}, 'invalid value for parameter "shared_buffers": "plenty"'),
        ({"shared_preload_libraries": "nowhere"}, 'could not access file "nowhere"'),
    ],
)
def test_a_server_that_does_not_start_says_why_in_one_line(settings: dict[str, str], complaint: str) -> None:
    with pytest.raises(EmbeddedError) as caught, serve(settings=settings):
        pass
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_port_that_somebody_else_was_faster_to_take_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1], server_module.free_port()])
        monkeypatch.setattr(server_module, "free_port", lambda: next(ports))
        with serve() as server:
            assert server.port != taken.getsockname()[1]
            assert ask(server.dsn(), "SELECT 1") == 1
