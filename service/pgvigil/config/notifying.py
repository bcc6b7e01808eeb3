"""The settings of the direct notifier."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, model_validator

from pgvigil.config.section import Section
from pgvigil.config.serving import plain_url
from pgvigil.timing import Within

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# Control characters, which basic authentication does not allow, and halves of characters.
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_OWN_LABELS = frozenset(("alertname", "severity", "target", "check", "subject", "code"))


def _label(name: str) -> str:
    if not _LABEL.fullmatch(name):
        raise ValueError("expected the name of a label: letters, digits and '_', not beginning with a digit")
    if name in _OWN_LABELS:
        raise ValueError(f"{name} is a label that pgvigil sets itself")
    return name


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("expected printable ASCII characters without spaces")
    return value


def _username(name: str) -> str:
    if _UNSENDABLE.search(name) or ":" in name:
        raise ValueError("expected text without control characters and ':'")
    return name


def _password(value: SecretStr) -> SecretStr:
    if _UNSENDABLE.search(value.get_secret_value()):
        raise ValueError("expected text without control characters")
    return value


class Alertmanager(Section):
    """One Alertmanager."""

    url: Annotated[str, AfterValidator(plain_url)] = Field(
        description="Its address, such as `http://alertmanager:9093`, with its path prefix if it has one."
    )
    username: Annotated[str, AfterValidator(_username)] | None = Field(
        default=None, description="User for basic authentication."
    )
    password: Annotated[SecretStr, AfterValidator(_password)] | None = Field(
        default=None, description="The user's password; best `!env NAME` or `!file PATH`."
    )
    token: Annotated[SecretStr, AfterValidator(_token)] | None = Field(
        default=None, description="Bearer token, instead of user and password."
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates to trust, instead of the system's; relative to this file."
    )

    @model_validator(mode="after")
    def _one_way_to_authenticate(self) -> Alertmanager:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together")
        if self.username is not None and self.token is not None:
            raise ValueError("either token, or username and password, not both")
        return self


def _once_each(alertmanagers: tuple[Alertmanager, ...]) -> tuple[Alertmanager, ...]:
    urls = [one.url for one in alertmanagers]
    if len(set(urls)) < len(urls):
        raise ValueError("names one Alertmanager twice")
    return alertmanagers


class Notify(Section):
    """Incidents sent straight to Alertmanager, instead of alerting rules in Prometheus."""

    alertmanagers: Annotated[tuple[Alertmanager, ...], AfterValidator(_once_each)] = Field(
        default=(), description="Where incidents are sent; all of them get everything."
    )
    samples: int = Field(
        default=5, ge=0, le=100, description="Sample keys, which are row values, in an alert; 0 for none."
    )
    resend: Annotated[timedelta, Within(at_least="1s", at_most="1h")] = Field(
        default=timedelta(minutes=1), description="How often an open incident is sent again."
    )
    hold: Annotated[timedelta, Within(at_least="10s", at_most="30d")] = Field(
        default=timedelta(hours=4),
        description="How long an Alertmanager keeps an incident firing that is not sent again, such as while "
        "pgvigil is down.",
    )
    labels: dict[Annotated[str, AfterValidator(_label)], str] = Field(
        default_factory=dict, description="Labels to add to every alert."
    )

    @model_validator(mode="after")
    def _held_between(self) -> Notify:
        if self.hold < 2 * self.resend:
            raise ValueError(
                "hold must be at least twice as long as resend, or alerts would resolve in between"
            )
        return self
