"""The guard before a real server: credentials, refusals, headers, and that none of it holds up a scrape."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import bcrypt
import pytest
from structlog.testing import capture_logs

from pgvigil.web.access import Refused
from pgvigil.web.bucket import Bucket
from pgvigil.web.passwords import Passwords
from tests.web.guarded import HASHED, PASSWORD, USERS, WITH_TOKENS, basic, bearer, guarded

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping
    from pathlib import Path

    from tests.web.guarded import Guarded

T = TypeVar("T")

PATHS = ("/", "/metrics", "/api/v1/incidents", "/nothing")


@pytest.fixture
def with_users(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path, WITH_TOKENS, USERS) as running:
        yield running


@pytest.fixture
def with_tokens(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path, WITH_TOKENS) as running:
        yield running


def test_without_settings_anybody_reads_and_nobody_writes(tmp_path: Path) -> None:
    with guarded(tmp_path) as running:
        assert json.loads(running.ask().body) == {"name": "anonymous", "scope": "read", "body": ""}
        for method in ("POST", "DELETE", "PUT"):
            answer = running.ask(method=method, headers=basic())
            assert answer.status == 403
            assert answer.text == (
                "nobody can be authenticated here: give web.tokens or basic_auth_users first\n"
            )
        # A proxy in front of us passes on what it was given.
        assert running.ask(headers=basic("of", "the proxy")).status == 200


def test_with_users_everything_but_the_probes_needs_a_login(with_users: Guarded) -> None:
    for path in PATHS:
        answer = with_users.ask(path)
        assert answer.status == 401
        kinds = [value.split()[0] for value in answer.headers.get_all("www-authenticate", [])]
        assert kinds == ["Basic", "Bearer"]
        assert with_users.ask(path, headers=basic()).status == (404 if path == "/nothing" else 200)
    for path in ("/-/healthy", "/-/ready"):
        assert (with_users.ask(path).status, with_users.ask(path).text) == (200, "not ready")
        assert with_users.ask(path, headers=basic()).text == "the reason"
        assert with_users.ask(path, "POST").status == 401
        assert with_users.ask(f"{path}/").status == 401


def test_users_may_write_and_tokens_what_their_scope_says(with_users: Guarded) -> None:
    expected: list[tuple[Mapping[str, str], str, str | None, int, int]] = [
        (basic(), "alice", "write", 200, 200),
        (bearer("writer"), "writer", "write", 200, 200),
        (bearer("reader"), "reader", "read", 200, 403),
    ]
    for headers, name, scope, read, written in expected:
        answer = with_users.ask(headers=headers)
        assert answer.status == read
        assert json.loads(answer.body) == {"name": name, "scope": scope, "body": ""}
        assert with_users.ask(method="POST", headers=headers, body="x").status == written


@pytest.mark.parametrize(
    "value",
    [
        "Basic",
        "Basic !!!!",
        "Basic YWxpY2U=",
        "Basic " + "A" * 4000,
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer " + "r" * 31,
        "Digest username=alice",
        "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr",
        "",
        "\xff\xfe",
        basic("alice", "wrong")["Authorization"],
        basic("alice", "")["Authorization"],
        basic("alice", HASHED)["Authorization"],
        basic("mallory", PASSWORD)["Authorization"],
        basic("", "")["Authorization"],
        basic("alice", "\0")["Authorization"],
    ],
)
def test_wrong_credentials_are_refused_even_where_none_are_needed(tmp_path: Path, value: str) -> None:
    with guarded(tmp_path, WITH_TOKENS) as running:
        for path in ("/", "/-/healthy", "/api/v1/incidents"):
            answer = running.ask(path, headers={"Authorization": value})
            assert answer.status == 401
            assert "not valid" in answer.text
        running.configure(WITH_TOKENS, USERS)
        assert running.ask(headers={"Authorization": value}).status == 401


def test_two_credentials_are_none(with_users: Guarded) -> None:
    connection = with_users.connect()
    connection.putrequest("GET", "/")
    for headers in (bearer("writer"), bearer("writer")):
        connection.putheader("Authorization", headers["Authorization"])
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


def test_refusals_of_the_api_are_json_and_others_one_line(with_tokens: Guarded) -> None:
    api, page = (with_tokens.ask(path, "POST") for path in ("/api/v1/incidents", "/"))
    assert (api.status, json.loads(api.body)) == (
        401,
        {"error": "authentication is required to change something"},
    )
    assert (page.status, page.text) == (401, "authentication is required to change something\n")


def test_another_sites_page_cannot_use_a_login_and_a_token_is_no_login(with_users: Guarded) -> None:
    theirs = ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"})
    for headers in theirs:
        assert with_users.ask(method="POST", headers={**basic(), **headers}).status == 403
        assert with_users.ask(method="POST", headers={**bearer("writer"), **headers}).status == 200
    ours = f"http://127.0.0.1:{with_users.web.port}"
    for headers in ({}, {"Origin": ours}, {"Sec-Fetch-Site": "same-origin"}):
        assert with_users.ask(method="POST", headers={**basic(), **headers}).status == 200


def test_a_name_that_was_rebound_to_loopback_is_answered_nothing(with_tokens: Guarded) -> None:
    answer = with_tokens.ask("/api/v1/incidents", headers={"Host": "evil.example", **bearer("writer")})
    assert (answer.status, json.loads(answer.body)) == (
        421,
        {"error": "this server has another name: add it to web.hosts if it is meant"},
    )
    with_tokens.configure(WITH_TOKENS + "\n  hosts: [evil.example]")
    assert with_tokens.ask(headers={"Host": "evil.example"}).status == 200


def test_users_and_tokens_change_with_the_next_request(with_users: Guarded) -> None:
    changed = bcrypt.hashpw(b"another", bcrypt.gensalt(4)).decode()
    assert with_users.ask(headers=basic()).status == 200
    with_users.write(f"basic_auth_users: {{alice: {changed}, bob: {changed}}}\n")
    assert with_users.settle() is True
    # It was right a moment ago, and remembered.
    assert with_users.ask(headers=basic()).status == 401
    assert with_users.ask(headers=basic("alice", "another")).status == 200
    assert with_users.ask(headers=basic("bob", "another")).status == 200
    with_users.write("basic_auth_users:\n")
    assert with_users.settle() is True
    assert with_users.ask().status == 200
    assert with_users.ask(headers=basic("alice", "another")).status == 401
    with_users.configure("anonymous: none")
    assert with_users.ask(headers=bearer("writer")).status == 401


def test_failed_logins_are_logged_with_name_and_address_and_nothing_else(with_users: Guarded) -> None:
    with capture_logs() as logs:
        with_users.ask(headers=basic("mallory\n", "s3kr3t-guess"))
        with_users.ask(headers={"Authorization": "Bearer s3kr3t-guess"})
        with_users.ask(headers=basic("x" * 1000, "s3kr3t-guess"))
    assert [(line["event"], line["user"], line["address"]) for line in logs] == [
        ("login refused", "mallory", "127.0.0.1"),
        ("login refused", None, "127.0.0.1"),
        ("login refused", "x" * 64, "127.0.0.1"),
    ]
    assert "s3kr3t-guess" not in str(logs)


def test_guesses_do_not_fill_the_log(with_users: Guarded) -> None:
    with capture_logs() as logs:
        for _ in range(100):
            with_users.ask(headers={"Authorization": "Bearer wrong"})
    assert 10 <= len(logs) < 100


def test_bodies_have_an_end(with_tokens: Guarded) -> None:
    large = with_tokens.ask(method="POST", headers=bearer("writer"), body="x" * 1_000_001)
    assert large.status == 413
    endless = {**bearer("writer"), "Transfer-Encoding": "chunked"}
    assert with_tokens.ask(method="POST", headers=endless, body="0\r\n\r\n").status == 411
    accepted = with_tokens.ask(method="POST", headers=bearer("writer"), body="x" * 1_000_000)
    assert len(json.loads(accepted.body)["body"]) == 1_000_000


def test_a_rate_limit_is_kept(tmp_path: Path) -> None:
    with guarded(tmp_path, file="rate_limit: {interval: 1h, burst: 3}") as running:
        assert [running.ask().status for _ in range(5)] == [200, 200, 200, 429, 429]
        running.write("rate_limit: {interval: 0, burst: 1}")
        assert running.settle() is True
        assert {running.ask().status for _ in range(5)} == {200}


def test_a_bucket_fills_with_time() -> None:
    now = [0.0]
    bucket = Bucket(2.0, 3, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 3.9
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] = 1000.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_headers_of_the_web_configuration_come_on_top_of_ours(tmp_path: Path) -> None:
    headers = (
        "http_server_config:\n  headers:\n    Content-Security-Policy: default-src *\n"
        "    X-Frame-Options: sameorigin\n    X-XSS-Protection: 1; mode=block\n"
        "    Strict-Transport-Security: max-age=60\n"
    )
    with guarded(tmp_path, file=headers + USERS) as running:
        for answer in (running.ask(), running.ask(headers=basic())):
            policies = answer.headers.get_all("content-security-policy", [])
            assert len(policies) == 2
            assert policies[0].startswith("default-src 'none'")
            assert policies[1] == "default-src *"
            assert answer.headers["x-frame-options"] == "sameorigin"
            assert answer.headers["x-xss-protection"] == "1; mode=block"
            assert answer.headers["strict-transport-security"] == "max-age=60"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"


class SlowPasswords:
    """Compares when it is told to, and remembers with what."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun = threading.Event()
        self.compared: list[tuple[bytes, bytes]] = []

    def __call__(self, password: bytes, hashed: bytes) -> bool:
        self.compared.append((password, hashed))
        self.begun.set()
        assert self.go_on.wait(30)
        return bcrypt.checkpw(password, hashed)


def test_while_passwords_are_verified_nobody_else_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowPasswords()
    monkeypatch.setattr("pgvigil.web.guard.Passwords", lambda: Passwords(slow))
    with guarded(tmp_path, WITH_TOKENS, USERS) as running, ThreadPoolExecutor(60) as pool:
        guesses = [pool.submit(running.ask, headers=basic("alice", f"guess {n}")) for n in range(50)]
        assert slow.begun.wait(30)
        assert running.ask("/metrics", headers=bearer("reader")).status == 200
        assert running.ask("/-/healthy").status == 200
        turned_away = [guess.result().status for guess in islice(as_completed(guesses), 42)]
        assert len(slow.compared) == 1
        slow.go_on.set()
        statuses = Counter(guess.result().status for guess in guesses)
        assert running.ask("/metrics", headers=basic()).status == 200
    assert turned_away == [429] * 42
    assert statuses == {429: 42, 401: 8}


def test_a_scrape_that_was_let_in_once_does_not_wait_for_guesses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowPasswords()
    monkeypatch.setattr("pgvigil.web.guard.Passwords", lambda: Passwords(slow))
    with guarded(tmp_path, file=USERS) as running, ThreadPoolExecutor(4) as pool:
        slow.go_on.set()
        assert running.ask("/metrics", headers=basic()).status == 200
        slow.go_on.clear()
        slow.begun.clear()
        guess = pool.submit(running.ask, headers=basic("alice", "guess"))
        assert slow.begun.wait(30)
        assert running.ask("/metrics", headers=basic()).status == 200
        slow.go_on.set()
        assert guess.result().status == 401
    assert len(slow.compared) == 2


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it on a thread of its own: a browser of other tests may have an event loop on this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def right(passwords: Passwords, user: str, password: bytes, address: str = "a") -> bool:
    return run(passwords.right(user, password, {"alice": HASHED.encode()}, address))


def test_an_unknown_user_costs_as_much_as_a_known_one() -> None:
    costs = []

    def compare(_: bytes, hashed: bytes) -> bool:
        costs.append(hashed[:7])
        # Even a password that fits the hash of nobody lets nobody in.
        return True

    assert right(Passwords(compare), "alice", b"x")
    assert not right(Passwords(compare), "mallory", b"x")
    assert costs == [b"$2b$04$", b"$2b$04$"]
    assert not right(Passwords(), "mallory", PASSWORD.encode())


def test_what_was_wrong_is_not_remembered_and_what_was_right_not_for_ever() -> None:
    calls = []

    def compare(password: bytes, hashed: bytes) -> bool:
        calls.append(password)
        return bcrypt.checkpw(password, hashed)

    async def asked() -> None:
        users = {"alice": HASHED.encode()}
        passwords = Passwords(compare)
        for _ in range(2):
            assert await passwords.right("alice", PASSWORD.encode(), users, "a")
        assert len(calls) == 1
        for _ in range(2):
            assert not await passwords.right("alice", b"wrong", users, "a")
        assert len(calls) == 3
        kept = b"".join(passwords._known)
        assert PASSWORD.encode() not in kept
        assert len(kept) == 32
        for number in range(300):
            passwords._remember(number.to_bytes(4, "big"))
        assert len(passwords._known) == 256
        assert await passwords.right("alice", PASSWORD.encode(), users, "a")
        assert len(calls) == 4

    run(asked())


def test_the_same_login_many_times_at_once_is_verified_once_and_an_address_has_few_places() -> None:
    slow = SlowPasswords()

    async def asked() -> None:
        users = {"alice": HASHED.encode()}
        passwords = Passwords(slow)
        same = [
            asyncio.create_task(passwords.right("alice", PASSWORD.encode(), users, "a")) for _ in range(100)
        ]
        guesses = [asyncio.create_task(passwords.right("bob", b"%d" % n, users, "b")) for n in range(20)]
        await asyncio.sleep(0)
        other = asyncio.create_task(passwords.right("alice", b"mine", users, "c"))
        await asyncio.sleep(0)
        slow.go_on.set()
        assert await asyncio.gather(*same) == [True] * 100
        answers = await asyncio.gather(*guesses, return_exceptions=True)
        assert [isinstance(answer, Refused) for answer in answers] == [False] * 8 + [True] * 12
        assert not await other

    run(asked())
    assert len(slow.compared) == 10


def test_only_the_beginning_of_a_very_long_password_counts() -> None:
    long = b"x" * 100
    users = {"alice": bcrypt.hashpw(long[:72], bcrypt.gensalt(4))}
    assert run(Passwords().right("alice", long, users, "a"))
    assert not run(Passwords().right("alice", long[:71], users, "a"))
