"""The settings of what pgvigil serves, and of who may ask."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from pgvigil.config.section import Section, nothing_is_empty

_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
# An Alertmanager refuses every alert whose link is no URI.
_URL = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:%\[\]]+)(:(?P<port>[0-9]{1,5}))?(/([^\s?#%]|%[0-9A-Fa-f]{2})*)?"
)
_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+")
_TOKEN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,62}")
_SHORTEST_TOKEN = 16


def _listen(text: str) -> str:
    match = _LISTEN.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise ValueError("expected HOST:PORT such as 127.0.0.1:9925, [::1]:9925 or 0.0.0.0:9925")
    return text


def plain_url(text: str) -> str:
    """Return an http address without user, query and trailing slash; raises ValueError."""
    match = _URL.fullmatch(text)
    if match is None or not text.isprintable() or int(match["port"] or 0) > 65535:
        raise ValueError("expected an address such as https://pgvigil.example.org, without user and query")
    return text.rstrip("/")


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("expected the name of a host such as pgvigil.example.org, without a port")
    return text.lower()


def _token_name(name: str) -> str:
    if not _TOKEN_NAME.fullmatch(name):
        raise ValueError("expected a name of letters, digits, '_', '-', '.' and '@', 63 of them at the most")
    return name


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < _SHORTEST_TOKEN or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(
            f"expected {_SHORTEST_TOKEN} or more printable ASCII characters without spaces: "
            "`openssl rand -hex 32` makes one"
        )
    return value


Listen = Annotated[str, AfterValidator(_listen)]
"""An address and a port."""


class Token(Section):
    """A bearer token of the HTTP API."""

    token: Annotated[SecretStr, AfterValidator(_token)] = Field(
        description="The secret; best `!env NAME` or `!file PATH`."
    )
    scope: Literal["read", "write"] = Field(
        default="read", description="What it may do: `write` may also change things."
    )


class Web(Section):
    """Where metrics, console and API are served, and to whom."""

    listen: Listen = Field(
        default="127.0.0.1:9925", description="Address and port to listen on; port 0 takes a free one."
    )
    config_file: Path | None = Field(
        default=None,
        description="Web configuration in the format of Prometheus' exporter-toolkit: TLS, client "
        "certificates, users. Relative to this file; read again whenever it changes.",
    )
    external_url: Annotated[str, AfterValidator(plain_url)] | None = Field(
        default=None,
        description="Where people reach the console, for links in notifications; its address when absent.",
    )
    anonymous: Literal["read", "none"] = Field(
        default="read",
        description="What is allowed without authentication: `read`, or `none` but the probes. Users in "
        "`config_file` make it `none`.",
    )
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = Field(
        default=(),
        description="Further names by which a console on a loopback address is asked, such as a proxy's.",
    )
    tokens: Annotated[
        dict[Annotated[str, AfterValidator(_token_name)], Token], BeforeValidator(nothing_is_empty)
    ] = Field(
        default_factory=dict, description="Bearer tokens, by the name that their actions are recorded under."
    )

    @property
    def host(self) -> str:
        """The host to listen on, without the brackets of an IPv6 address."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on."""
        return int(self.listen.rpartition(":")[2])
