"""Addresses in settings: what is accepted can be asked, and be a link in an alert."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pgvigil.config.notifying import Alertmanager
from pgvigil.config.serving import Web

GOOD = [
    "http://alertmanager:9093",
    "https://alerts.example.org/team/a%20b",
    "http://10.0.0.1",
    "http://[::1]:9093",
    "http://bücher.example",
]
BAD = [
    "alertmanager:9093",
    "ftp://alertmanager",
    "http://user:secret@alertmanager",
    "http://alertmanager?x=y",
    "http://alertmanager:port",
    "http://alertmanager:99999",
    "http://[::1",
    "http://a b",
    "http://a/%zz",
    "http://a/\x7f",
    "http://",
]


@pytest.mark.parametrize("url", GOOD)
def test_an_address_loses_its_trailing_slash_alone(url: str) -> None:
    assert Alertmanager(url=f"{url}/").url == url
    assert Web(external_url=url).external_url == url


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="expected an address such as"):
        Alertmanager(url=url)
    with pytest.raises(ValidationError, match="expected an address such as"):
        Web(external_url=url)
