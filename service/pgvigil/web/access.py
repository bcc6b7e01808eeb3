"""Who asks, and what they may do. Pure: no I/O, no clock.

Reading is open to anybody or to nobody, as configured. What changes something always needs the scope `write`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from pgvigil.config import Web

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
PROBES = frozenset(("/-/healthy", "/-/ready"))

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+?)\.?(?::[0-9]*)?")
_LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))
_TO_NOBODY = "nobody can be authenticated here: give web.tokens or basic_auth_users first"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the name that its actions are recorded under. Without a scope it may not even read."""

    name: str
    scope: Literal["read", "write"] | None

    @property
    def may_read(self) -> bool:
        """Whether it may see targets and incidents."""
        return self.scope is not None

    @property
    def may_write(self) -> bool:
        """Whether it may change something."""
        return self.scope == "write"


class Refused(Exception):  # noqa: N818 - an answer more than an error
    """The request is answered with this status and one line, and goes no further."""

    def __init__(self, status: int, reason: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        self.status = status
        self.reason = reason
        self.headers = tuple(headers)
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may do what: bcrypt hashes by user, callers by bearer token.

    `hosts` are the names that this server answers to, None for any. `origins` are hosts, with a port if it is
    not the default, whose pages may act for their users beside the host that was asked.
    """

    users: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    tokens: Mapping[bytes, Caller] = field(default_factory=dict, repr=False)
    anonymous_reads: bool = True
    hosts: frozenset[str] | None = None
    origins: frozenset[str] = frozenset()

    @property
    def anybody(self) -> bool:
        """Whether there is somebody who could be authenticated."""
        return bool(self.users or self.tokens)

    @property
    def anonymous(self) -> Caller:
        """Who asks without saying so."""
        return Caller("anonymous", "read" if self.anonymous_reads else None)

    def bearer(self, token: bytes) -> Caller | None:
        """Return whose token it is, in a time that tells nothing about those of others."""
        found = None
        for known, caller in self.tokens.items():
            if hmac.compare_digest(known, token):
                found = caller
        return found

    def check_host(self, host: str | None) -> None:
        """Refuse a request for another host: a page's name may be pointed at a loopback address.

        A request without a host is no browser's.
        """
        if self.hosts is None or host is None:
            return
        match = _HOST.fullmatch(host)
        if match is None or _bare(match["name"]) not in self.hosts:
            raise Refused(421, "this server has another name: add it to web.hosts if it is meant")

    def check_origin(self, headers: Mapping[str, str]) -> None:
        """Refuse what the page of another site asks for: a browser sends its user's password along."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            ours = site in {"same-origin", "none"}
        elif origin is not None:
            ours = origin.lower().partition("://")[2] in {headers.get("host", "").lower(), *self.origins}
        else:
            ours = True  # no browser
        if not ours:
            raise Refused(403, "this was asked by the page of another site")

    def check(self, caller: Caller, method: str, path: str) -> None:
        """Refuse what the caller may not do."""
        if method not in SAFE_METHODS:
            self._check_writer(caller)
        elif not (caller.may_read or path in PROBES):
            raise self.unauthorized("authentication is required")

    def _check_writer(self, caller: Caller) -> None:
        if caller.may_write:
            return
        if not self.anybody:
            raise Refused(403, _TO_NOBODY)
        if caller == self.anonymous:
            raise self.unauthorized("authentication is required to change something")
        raise Refused(403, f"{caller.name} has the scope read; this needs write")

    def unauthorized(self, reason: str) -> Refused:
        """Return the refusal that asks for credentials, of the kinds that there are."""
        kinds = []
        if self.users or not self.tokens:
            kinds.append('Basic realm="pgvigil", charset="UTF-8"')
        if self.tokens or not self.users:
            kinds.append('Bearer realm="pgvigil"')
        return Refused(401, reason, [("WWW-Authenticate", kind) for kind in kinds])


def rules_of(web: Web, users: Mapping[str, bytes]) -> Rules:
    """Make the rules of the configuration and of the users in its web configuration."""
    outside = urlsplit(web.external_url or "")
    names = {*_LOOPBACK_NAMES, web.host, outside.hostname, *web.hosts}
    return Rules(
        users=users,
        tokens={
            token.token.get_secret_value().encode(): Caller(name, token.scope)
            for name, token in web.tokens.items()
        },
        anonymous_reads=web.anonymous == "read" and not users,
        hosts=frozenset(_bare(name) for name in names if name) if is_loopback(web.host) else None,
        origins=frozenset([outside.netloc.lower()] if outside.netloc else ()),
    )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches what listens on a host; a name but localhost does not count."""
    if host.lower().rstrip(".") in {"localhost", "ip6-localhost", "localhost.localdomain"}:
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def exposure(web: Web, rules: Rules) -> str:
    """Return what to warn of at the start, empty when there is nothing."""
    if is_loopback(web.host) or not rules.anonymous_reads:
        return ""
    return (
        f"everybody who reaches {web.listen} may read the console, with sample keys of findings: "
        "set web.anonymous to none, or give users in web.config_file"
    )


def _bare(name: str) -> str:
    return name.lower().strip("[]").rstrip(".")
