"""TLS as a web configuration asks for it: the context of a connection, and which clients it lets in."""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from pgvigil.config.origin import KeyPath
from pgvigil.errors import ConfigError
from pgvigil.web.toolkit import TlsServer, WebFile

_SECTION = "tls_server_config"
_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}
_POLICIES = {
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


@dataclass(frozen=True, slots=True, eq=False)
class Tls:
    """How connections are encrypted. Without `allowed_names` any client that the context lets in may come."""

    context: ssl.SSLContext
    allowed_names: frozenset[str] | None = None

    def admits(self, certificate: Mapping[str, Any] | None) -> bool:
        """Tell whether a client with this certificate, as `SSLSocket.getpeercert` gives it, may come in."""
        return self.allowed_names is None or not self.allowed_names.isdisjoint(_names(certificate or {}))


def _names(certificate: Mapping[str, Any]) -> Iterator[str]:
    for kind, value in certificate.get("subjectAltName", ()):
        if kind in {"DNS", "URI", "email"}:
            yield value
        elif kind == "IP Address":
            yield str(ip_address(value.strip()))


def tls_of(file: WebFile) -> Tls | None:
    """Load the certificates that a web configuration names; None when it asks for no TLS.

    Raises ConfigError when they cannot be read, are none, or do not belong together.
    """
    asked = file.settings.tls_server_config
    if not asked.model_fields_set:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    _set_versions(context, asked)
    _load_pair(context, file)
    if asked.asks_for_certificate:
        key, text = _content(file, "client_ca")
        _trust(context, text, file, key)
        context.verify_mode = _POLICIES[asked.client_auth_type]
    allowed = asked.client_allowed_sans
    return Tls(context, None if allowed is None else frozenset(allowed))


def _set_versions(context: ssl.SSLContext, asked: TlsServer) -> None:
    """Set versions, suites and curve."""
    context.minimum_version = _VERSIONS[asked.min_version]
    context.maximum_version = _VERSIONS[asked.max_version]
    if asked.old_suites:
        context.set_ciphers(":".join(asked.old_suites))
    elif asked.cipher_suites:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    if not asked.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    for curve in asked.curve_preferences:
        context.set_ecdh_curve(_CURVES[curve])


def _load_pair(context: ssl.SSLContext, file: WebFile) -> None:
    cert_key, cert = _content(file, "cert")
    key_key, key = _content(file, "key")
    # Alone first: with a pair OpenSSL does not say which of the two it could not read.
    _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), cert, file, cert_key)
    try:
        with _as_file(cert) as cert_path, _as_file(key) as key_path:
            context.load_cert_chain(cert_path, key_path, _no_password)
    except _EncryptedError:
        raise _error(file, key_key, "is encrypted: give one without a passphrase") from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise _error(file, key_key, "does not belong to the certificate") from None
        raise _error(file, key_key, "holds no private key in PEM format that fits") from None


def _trust(context: ssl.SSLContext, text: bytes, file: WebFile, key: str) -> None:
    try:
        context.load_verify_locations(cadata=text.decode("ascii", "replace"))
    except ssl.SSLError:
        raise _error(file, key, "holds no certificate in PEM format") from None


def _content(file: WebFile, name: str) -> tuple[str, bytes]:
    """Return the key that a PEM text was given with, inline or as a file, and the text."""
    asked = file.settings.tls_server_config
    path: Path | None = getattr(asked, f"{name}_file")
    if path is None:
        inline = getattr(asked, name)
        text = inline if isinstance(inline, str) else inline.get_secret_value()
        return name, text.encode()
    try:
        return f"{name}_file", (file.folder / path).read_bytes()
    except OSError as error:
        raise _error(file, f"{name}_file", f"{path} cannot be read: {error.strerror or error}") from None


@contextmanager
def _as_file(text: bytes) -> Iterator[str]:
    """Give a text a path, which is all that Python loads keys from. On Linux it touches no disk."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("pgvigil", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        os.write(descriptor, text)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield f"/dev/fd/{descriptor}"
    finally:
        os.close(descriptor)


class _EncryptedError(Exception):
    """The private key needs a passphrase, which nobody is there to type."""


def _no_password() -> str:
    raise _EncryptedError


def _error(file: WebFile, key: str, message: str) -> ConfigError:
    path: KeyPath = (_SECTION, key)
    return file.origin.error(path, message)
