"""Reads a web configuration in the format of Prometheus' exporter-toolkit: TLS, users, headers.

One file may serve pgvigil and the exporters beside it. Whatever this server cannot do as it is asked is an
error; it is never done by halves. `!env NAME` and `!file PATH` work as in pgvigil's own configuration.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator

from pgvigil.config.document import read_document
from pgvigil.config.explain import explain
from pgvigil.config.origin import Origin, joined
from pgvigil.config.section import Section, nothing_is_empty
from pgvigil.timing import Duration

_BCRYPT = re.compile(r"\$2[abxy]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53}")
# Each step doubles the time of a login; 18 takes some ten seconds.
_LOWEST_COST, _HIGHEST_COST = 4, 18
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")

_Curve = Literal["X25519", "CurveP256", "CurveP384", "CurveP521"]
_Header = Literal[
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "X-XSS-Protection",
    "Strict-Transport-Security",
]

CIPHERS: Mapping[str, str] = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
"""OpenSSL's names of the suites up to TLS 1.2, by the names that the file has for them."""

# The suites of TLS 1.3 are all in use; the file may name them, which has no effect there either.
_CIPHERS_13 = frozenset(("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"))


def _text(value: object) -> object:
    """Refuse what is no text without repeating it: it stands where a secret belongs."""
    if not isinstance(value, str | SecretStr):
        raise ValueError("expected text")
    return value


_Secret = Annotated[SecretStr, BeforeValidator(_text)]


def _users(value: object) -> object:
    if value is not None and not isinstance(value, dict):
        raise ValueError("expected a mapping of users to bcrypt hashes")
    return nothing_is_empty(value)


def _hash(value: SecretStr) -> SecretStr:
    match = _BCRYPT.fullmatch(value.get_secret_value())
    if match is None:
        raise ValueError("expected a bcrypt hash such as $2y$10$…: `htpasswd -nB USER` makes one")
    if not _LOWEST_COST <= int(match["cost"]) <= _HIGHEST_COST:
        raise ValueError(f"expected a bcrypt hash with a cost from {_LOWEST_COST} to {_HIGHEST_COST}")
    return value


def _user(name: str) -> str:
    if not name or ":" in name or not name.isprintable():
        raise ValueError("expected a name without ':', which ends the name where a browser sends it")
    return name


def _cipher(name: str) -> str:
    if name not in CIPHERS and name not in _CIPHERS_13:
        raise ValueError(f"unknown cipher suite {name}; there are {', '.join((*CIPHERS, *_CIPHERS_13))}")
    return name


def _verifying(policy: object) -> object:
    if policy in {"RequestClientCert", "RequireAnyClientCert", "RequireClientCert"}:
        raise ValueError(
            f"{policy} takes certificates that nobody verified, which pgvigil does not: "
            "use RequireAndVerifyClientCert or VerifyClientCertIfGiven"
        )
    return policy


def _one_curve(names: tuple[_Curve, ...]) -> tuple[_Curve, ...]:
    if len(names) > 1:
        raise ValueError("pgvigil can be held to one curve, not to several: name one, or leave the key out")
    return names


class TlsServer(Section):
    """`tls_server_config`: the server's certificate, and which clients may connect."""

    cert: str | None = None
    cert_file: Path | None = None
    key: _Secret | None = None
    key_file: Path | None = None
    client_ca: str | None = None
    client_ca_file: Path | None = None
    client_auth_type: Annotated[
        Literal["", "NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"],
        BeforeValidator(_verifying),
    ] = "NoClientCert"
    client_allowed_sans: tuple[str, ...] | None = None
    min_version: Literal["TLS12", "TLS13"] = "TLS12"
    max_version: Literal["TLS12", "TLS13"] = "TLS13"
    cipher_suites: tuple[Annotated[str, AfterValidator(_cipher)], ...] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: Annotated[tuple[_Curve, ...], AfterValidator(_one_curve)] = ()

    @property
    def asks_for_certificate(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.client_auth_type not in {"", "NoClientCert"}

    @property
    def old_suites(self) -> list[str]:
        """OpenSSL's names of the suites up to TLS 1.2 that are asked for."""
        return [CIPHERS[name] for name in self.cipher_suites if name in CIPHERS]

    @model_validator(mode="after")
    def _complete(self) -> TlsServer:
        if not self.model_fields_set:
            return self  # all of its lines are commented out: no TLS
        for name in ("cert", "key", "client_ca"):
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None:
                raise ValueError(f"either {name} or {name}_file, not both")
        for name in ("cert", "key"):
            if getattr(self, name) is None and getattr(self, f"{name}_file") is None:
                raise ValueError(f"one of {name} and {name}_file is missing")
        if self.min_version > self.max_version:
            raise ValueError("min_version is above max_version")
        if self.max_version == "TLS12" and self.cipher_suites and not self.old_suites:
            raise ValueError("cipher_suites names none that is of TLS 1.2, and max_version allows no other")
        self._clients()
        return self

    def _clients(self) -> None:
        has_authority = self.client_ca is not None or self.client_ca_file is not None
        if self.asks_for_certificate and not has_authority:
            raise ValueError(f"{self.client_auth_type} needs client_ca or client_ca_file to verify against")
        if has_authority and not self.asks_for_certificate:
            raise ValueError("client_ca has no effect without client_auth_type: RequireAndVerifyClientCert")
        if self.client_allowed_sans is not None and self.client_auth_type != "RequireAndVerifyClientCert":
            raise ValueError("client_allowed_sans needs client_auth_type: RequireAndVerifyClientCert")


class HttpServer(Section):
    """`http_server_config`. HTTP/2 may be asked for: clients agree on HTTP/1.1 with this server."""

    http2: bool = True
    headers: Annotated[dict[_Header, str], BeforeValidator(nothing_is_empty)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sound(self) -> HttpServer:
        for name, value in self.headers.items():
            if not _HEADER_VALUE.fullmatch(value):
                raise ValueError(f"headers: {name} holds a character that no header may")
        if self.headers.get("X-Content-Type-Options", "nosniff") not in {"", "nosniff"}:
            raise ValueError("headers: X-Content-Type-Options can be nosniff alone")
        if self.headers.get("X-Frame-Options", "deny").lower() not in {"", "deny", "sameorigin"}:
            raise ValueError("headers: X-Frame-Options can be deny or sameorigin")
        return self


class RateLimit(Section):
    """`rate_limit`: a bucket of `burst` requests that fills by one each `interval`; 0s is no limit."""

    interval: Annotated[Duration, BeforeValidator(lambda value: "0s" if value in {0, "0"} else value)]
    burst: int = Field(ge=1, le=1_000_000)


class WebConfiguration(Section):
    """The whole file."""

    tls_server_config: TlsServer = Field(default_factory=TlsServer)
    http_server_config: HttpServer = Field(default_factory=HttpServer)
    basic_auth_users: Annotated[
        dict[Annotated[str, AfterValidator(_user)], Annotated[_Secret, AfterValidator(_hash)]],
        BeforeValidator(_users),
    ] = Field(default_factory=dict)
    rate_limit: RateLimit = Field(default_factory=lambda: RateLimit(interval=timedelta(0), burst=1))


@dataclass(frozen=True, slots=True)
class WebFile:
    """A web configuration that was read, where its settings stand, and all files that it is made of."""

    settings: WebConfiguration
    origin: Origin
    files: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """What the paths in it are relative to."""
        return self.files[0].parent

    @property
    def users(self) -> dict[str, bytes]:
        """The users' bcrypt hashes."""
        return {
            name: hashed.get_secret_value().encode()
            for name, hashed in self.settings.basic_auth_users.items()
        }


def read(path: Path, environ: Mapping[str, str] = os.environ) -> WebFile:
    """Read a web configuration; raises ConfigError with all that is wrong with it, one line each.

    Certificates are only named here: `pgvigil.web.tls` loads them.
    """
    document = read_document(path, environ, "tls_server_config or basic_auth_users, or {} for neither")
    if not isinstance(document.value, dict):
        raise document.origin.error((), "expected a mapping such as basic_auth_users: {…}")
    try:
        settings = WebConfiguration.model_validate(document.value)
    except ValidationError as error:
        raise joined(explain(error, WebConfiguration, document.value, document.origin)) from None
    return WebFile(settings, document.origin, (path, *_named(document.value, document.origin, path.parent)))


def _named(value: dict[str, Any], origin: Origin, folder: Path) -> list[Path]:
    """Return the files that a web configuration names."""
    tls = value.get("tls_server_config") or {}
    names = [tls.get(key) for key in ("cert_file", "key_file", "client_ca_file")]
    names += [tag.removeprefix("!file ") for tag in origin.tags.values() if tag.startswith("!file ")]
    return [folder / name for name in names if name]
