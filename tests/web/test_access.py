"""Who may do what, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.config import Web
from pgvigil.web.access import Caller, Refused, Rules, exposure, is_loopback, rules_of
from tests.web.guarded import TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

USERS = {"alice": b"a hash"}
READER, WRITER = Caller("reader", "read"), Caller("writer", "write")
NOBODY = "nobody can be authenticated here: give web.tokens or basic_auth_users first"


def web(**settings: object) -> Web:
    return Web.model_validate(settings)


def with_tokens(**settings: object) -> Web:
    tokens = {
        "reader": {"token": TOKENS["reader"]},
        "writer": {"token": TOKENS["writer"], "scope": "write"},
    }
    return web(tokens=tokens, **settings)


def outcome(refusing: Callable[..., None], *args: object) -> int:
    """Return the status of the refusal, 200 when there is none."""
    try:
        refusing(*args)
    except Refused as refused:
        return refused.status
    return 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    ("rules", "anonymous"),
    [
        (rules_of(web(), {}), 200),
        (rules_of(with_tokens(), {}), 200),
        (rules_of(web(anonymous="none"), {}), 401),
        (rules_of(with_tokens(anonymous="none"), {}), 401),
        (rules_of(web(), USERS), 401),
    ],
)
def test_who_may_look(rules: Rules, anonymous: int, method: str) -> None:
    for path in ("/", "/metrics", "/api/v1/incidents", "/-/ready/", "/-/reload", "//-/ready"):
        assert outcome(rules.check, rules.anonymous, method, path) == anonymous
        assert outcome(rules.check, READER, method, path) == 200
    for probe in ("/-/healthy", "/-/ready"):
        assert outcome(rules.check, rules.anonymous, method, probe) == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "post", "BREW"])
@pytest.mark.parametrize("path", ["/", "/-/healthy", "/-/reload", "/api/v1/incidents/1/mute"])
@pytest.mark.parametrize("anonymous", ["read", "none"])
def test_who_may_change_something(method: str, path: str, anonymous: str) -> None:
    rules = rules_of(with_tokens(anonymous=anonymous), {})
    assert outcome(rules.check, rules.anonymous, method, path) == 401
    assert outcome(rules.check, READER, method, path) == 403
    assert outcome(rules.check, WRITER, method, path) == 200
    with pytest.raises(Refused, match="reader has the scope read; this needs write"):
        rules.check(READER, method, path)


@pytest.mark.parametrize("anonymous", ["read", "none"])
def test_where_nobody_can_be_authenticated_nobody_may_change_anything(anonymous: str) -> None:
    rules = rules_of(web(anonymous=anonymous), {})
    with pytest.raises(Refused, match=NOBODY) as refused:
        rules.check(rules.anonymous, "POST", "/")
    assert refused.value.status == 403


def test_a_token_called_anonymous_is_not_taken_for_nobody() -> None:
    rules = rules_of(web(anonymous="none", tokens={"anonymous": {"token": "t" * 16}}), {})
    caller = rules.bearer(b"t" * 16)
    assert caller is not None
    assert outcome(rules.check, caller, "GET", "/") == 200
    assert outcome(rules.check, caller, "POST", "/") == 403


def test_the_challenge_names_the_ways_that_there_are() -> None:
    def kinds(rules: Rules) -> list[str]:
        return [value.split()[0] for _, value in rules.unauthorized("no").headers]

    assert kinds(rules_of(with_tokens(), USERS)) == ["Basic", "Bearer"]
    assert kinds(rules_of(with_tokens(), {})) == ["Bearer"]
    assert kinds(rules_of(web(), USERS)) == ["Basic"]
    assert kinds(rules_of(web(anonymous="none"), {})) == ["Basic", "Bearer"]


def test_a_token_is_known_by_all_of_it_and_nothing_else() -> None:
    rules = rules_of(with_tokens(), USERS)
    assert rules.bearer(TOKENS["reader"].encode()) == READER
    assert rules.bearer(TOKENS["writer"].encode()) == WRITER
    for wrong in (b"", b"r" * 31, b"r" * 33, b"R" * 32, b"a hash", "ü".encode("latin-1") * 32):
        assert rules.bearer(wrong) is None


HOSTS = {
    "localhost": 200,
    "localhost:9925": 200,
    "LOCALHOST.": 200,
    "127.0.0.1:1": 200,
    "[::1]:9925": 200,
    "pgvigil.example.org": 200,
    "pgvigil.example.org:443": 200,
    "proxy.internal": 200,
    "evil.example": 421,
    "localhost.evil.example": 421,
    "127.0.0.1.evil.example:9925": 421,
    "evil.example:localhost": 421,
    "localhost@evil.example": 421,
    "127.0.0.2": 421,
    "0.0.0.0": 421,  # noqa: S104 - asked for, not bound to
    "": 421,
}


@pytest.mark.parametrize("listen", ["127.0.0.1:9925", "[::1]:9925", "localhost:9925"])
def test_on_loopback_only_names_of_this_server_are_answered(listen: str) -> None:
    settings = web(listen=listen, external_url="https://pgvigil.example.org/x", hosts=["Proxy.internal"])
    rules = rules_of(settings, {})
    assert {host: outcome(rules.check_host, host) for host in HOSTS} == HOSTS
    assert outcome(rules.check_host, None) == 200


@pytest.mark.parametrize("listen", ["0.0.0.0:9925", "[::]:9925", "192.0.2.1:9925", "db.example.net:9925"])
def test_elsewhere_any_name_is_answered(listen: str) -> None:
    rules = rules_of(web(listen=listen), {})
    assert {outcome(rules.check_host, host) for host in HOSTS} == {200}


def test_the_loopback_address_that_is_listened_on_is_answered() -> None:
    assert outcome(rules_of(web(listen="127.0.0.7:9925"), {}).check_host, "127.0.0.7:9925") == 200


def test_what_is_loopback() -> None:
    assert all(
        map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "LocalHost", "localhost."))
    )
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "localhost.net", "")))  # noqa: S104


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "https://other.example"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://here:9925"}, 403),
        ({"sec-fetch-site": "nonsense"}, 403),
        ({"origin": "http://here:9925"}, 200),
        ({"origin": "HTTP://HERE:9925"}, 200),
        ({"origin": "https://pgvigil.example.org"}, 200),
        ({"origin": "http://here"}, 403),
        ({"origin": "http://here:9926"}, 403),
        ({"origin": "https://pgvigil.example.org.evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
    ],
)
def test_whose_pages_may_act_for_their_users(headers: Mapping[str, str], status: int) -> None:
    rules = rules_of(web(external_url="https://pgvigil.example.org/path"), USERS)
    assert outcome(rules.check_origin, {"host": "here:9925", **headers}) == status


def test_an_operator_is_warned_of_a_console_that_everybody_can_read() -> None:
    open_to_all = web(listen="0.0.0.0:9925")
    warning = exposure(open_to_all, rules_of(open_to_all, {}))
    assert "0.0.0.0:9925" in warning
    assert "web.anonymous" in warning
    for settings, users in (
        (web(), {}),
        (open_to_all, USERS),
        (web(listen="0.0.0.0:9925", anonymous="none"), {}),
    ):
        assert exposure(settings, rules_of(settings, users)) == ""


def test_rules_do_not_show_their_secrets() -> None:
    shown = repr(rules_of(with_tokens(), USERS))
    assert not any(secret in shown for secret in (*TOKENS.values(), "a hash"))
