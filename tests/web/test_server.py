"""The server's life: its address, its end, and what it leaves alone."""

from __future__ import annotations

import signal
import socket
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette

from pgvigil.errors import PgvigilError
from pgvigil.web.server import WebServer

if TYPE_CHECKING:
    from tests.web.conftest import Site


def test_a_taken_port_is_refused_in_one_line_that_says_what_to_do(site: Site) -> None:
    second = WebServer(Starlette(), "127.0.0.1", site.web.port)
    with pytest.raises(PgvigilError) as refused:
        second.start()
    assert str(refused.value) == (
        f"cannot serve on 127.0.0.1:{site.web.port}: Address already in use; "
        "end what uses it, or give another address as `web.listen`"
    )
    assert site.ask("/-/healthy").status == 200


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a" * 70 + ".invalid"])
def test_an_address_that_is_not_ours_is_refused(host: str) -> None:
    with pytest.raises(PgvigilError, match=f"cannot serve on {host}:80: ") as refused:
        WebServer(Starlette(), host, 80).start()
    assert "\n" not in str(refused.value)


def test_requests_are_accepted_as_soon_as_start_returns(site: Site) -> None:
    assert site.web.port > 0
    assert site.ask("/-/healthy").text == "healthy\n"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:9925/"),
        ("0.0.0.0", "http://127.0.0.1:9925/"),  # noqa: S104
        ("::", "http://[::1]:9925/"),
        ("localhost", "http://localhost:9925/"),
    ],
)
def test_the_url_can_be_opened_on_this_machine(host: str, url: str) -> None:
    assert WebServer(Starlette(), host, 9925).url == url


def test_every_address_of_the_machine_is_served() -> None:
    everywhere, addresses = ("::", ("127.0.0.1", "::1")) if _has_ipv6() else ("0.0.0.0", ("127.0.0.1",))  # noqa: S104
    web = WebServer(Starlette(), everywhere, 0)
    web.start()
    for address in addresses:
        connection = HTTPConnection(address, web.port, timeout=30)
        connection.request("GET", "/")
        assert connection.getresponse().status == 404
        connection.close()
    assert web.stop()


def test_stop_frees_the_port_and_does_not_wait_for_idle_connections(site: Site) -> None:
    idle = HTTPConnection("127.0.0.1", site.web.port, timeout=30)
    idle.request("GET", "/-/healthy")
    idle.getresponse().read()
    assert site.web.stop()
    idle.close()
    with socket.create_server(("127.0.0.1", site.web.port)):
        pass


def test_a_server_that_never_started_stops() -> None:
    assert WebServer(Starlette(), "127.0.0.1", 0).stop()


def test_signals_stay_with_the_process(site: Site) -> None:
    assert site.ask("/-/healthy").status == 200
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
