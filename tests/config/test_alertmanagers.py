"""How an Alertmanager is authenticated to: what cannot be sent in a header is refused before it is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr, ValidationError

from pgvigil.config.notifying import Alertmanager

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "http://alertmanager:9093"
CONTROLS = ["a\nX: y", "a\r", "a\0", "\x1ba", "a\x7f", "a\x85", "a\udcff"]


@pytest.mark.parametrize("token", ["", " ", "two words", "tokén", "€", *CONTROLS])
def test_a_token_that_no_header_can_hold_is_refused(token: str) -> None:
    with pytest.raises(ValidationError, match="expected printable ASCII characters without spaces"):
        Alertmanager(url=URL, token=SecretStr(token))


@pytest.mark.parametrize("token", ["x", "eyJhbGciOi.J9-_~+/=", "!\"#$%&'()*"])
def test_any_other_token_is_taken_as_it_is(token: str) -> None:
    taken = Alertmanager(url=URL, token=SecretStr(token)).token
    assert taken is not None
    assert taken.get_secret_value() == token


@pytest.mark.parametrize("password", CONTROLS)
def test_a_password_with_control_characters_is_refused(password: str) -> None:
    with pytest.raises(ValidationError, match="expected text without control characters"):
        Alertmanager(url=URL, username="u", password=SecretStr(password))


@pytest.mark.parametrize("username", ["a:b", ":", *CONTROLS])
def test_a_user_that_basic_authentication_cannot_name_is_refused(username: str) -> None:
    with pytest.raises(ValidationError, match="expected text without control characters and ':'"):
        Alertmanager(url=URL, username=username, password=SecretStr("p"))


@pytest.mark.parametrize("text", ["", "ödön €", "a b", "\u00a0🦊"])
def test_any_other_user_and_password_are_taken_as_they_are(text: str) -> None:
    taken = Alertmanager(url=URL, username=text, password=SecretStr(f"{text}:{text}"))
    assert taken.password is not None
    assert (taken.username, taken.password.get_secret_value()) == (text, f"{text}:{text}")


def test_the_complaint_names_the_line_and_the_setting(complaint: Callable[..., str]) -> None:
    said = complaint(
        "targets: {a: {dsn: dbname=a}}\nnotify:\n  alertmanagers:\n"
        "    - url: http://a\n      token: !env TOKEN\n",
        TOKEN="no such token",
    )
    assert said.startswith(
        "5: notify.alertmanagers[0].token: expected printable ASCII characters without spaces"
    )
    assert "such" not in said
