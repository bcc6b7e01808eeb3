"""The way to one Alertmanager: HTTP with bounds, and an answer without surprises."""

from __future__ import annotations

import base64
import json
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http.client import HTTPException, RemoteDisconnected
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from pgvigil import __version__
from pgvigil.config.notifying import Alertmanager
from pgvigil.notify.alerts import Alert
from pgvigil.notify.deadline import Deadline

_PATH = "/api/v2/alerts"
_CONNECT_SECONDS = 3.0
# Without a word, and until the answer is whole.
_ANSWER_SECONDS = 10.0
_WHOLE_SECONDS = 15.0
_LONGEST_ANSWER = 1 << 13

# What says that there is something wrong with the alerts, not with whoever is there.
_REFUSALS = (400, 413, 422)


class Outcome(Enum):
    """What became of a request. REFUSED is about what it holds; FAILED about everything else."""

    ACCEPTED = auto()
    REFUSED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request.

    `at` is the Alertmanager's time. `heard` is false when it surely has not got the request. `reason` is one
    line, without what was sent.
    """

    outcome: Outcome
    at: datetime | None = None
    heard: bool = True
    reason: str = ""


class Post(Protocol):
    """Sends alerts to an Alertmanager; raises nothing."""

    def __call__(self, alerts: Sequence[Alert]) -> Answer:
        """Send them in one request."""
        ...


class Client:
    """Speaks with one Alertmanager; used by one thread. `ca_file` has to be there when it first does."""

    def __init__(self, settings: Alertmanager, ca_file: Path | None = None) -> None:
        self._url = settings.url + _PATH
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"pgvigil/{__version__}",
            **_authorization(settings),
        }
        self._ca_file = ca_file
        self._http: urllib3.PoolManager | None = None
        self._deadline = Deadline()

    def __call__(self, alerts: Sequence[Alert]) -> Answer:
        """Send alerts in one request."""
        body = json.dumps(alerts).encode()
        with self._deadline.within(_WHOLE_SECONDS):
            answer = self._try(body)
        if self._deadline.passed and answer.heard:
            answer = Answer(Outcome.FAILED, reason="no whole answer in time")
        if answer.outcome is Outcome.FAILED:
            # Certificates are read anew with the next attempt.
            self.close()
        return answer

    def close(self) -> None:
        """Close the connection."""
        if self._http is not None:
            self._http.clear()
            self._http = None

    def _try(self, body: bytes) -> Answer:
        try:
            return self._ask(body)
        except (NewConnectionError, ConnectTimeoutError) as error:
            return Answer(Outcome.FAILED, heard=False, reason=_reason(error))
        except HTTPError as error:
            return Answer(Outcome.FAILED, reason=_reason(error))
        except OSError as error:
            return Answer(Outcome.FAILED, reason=f"{error.filename or self._url}: {error.strerror or error}")

    def _ask(self, body: bytes) -> Answer:
        self._http = self._http or self._connections()
        response = self._http.request(
            "POST", self._url, body=body, headers=self._headers, redirect=False, preload_content=False
        )
        # To the end, so that the connection can be used again. What it says may repeat what was sent.
        text = response.read(_LONGEST_ANSWER, decode_content=False)
        if len(text) < _LONGEST_ANSWER:
            response.release_conn()
        else:
            response.close()
        outcome, reason = _outcome(response.status), f"HTTP {response.status}"
        html = "html" in response.headers.get("Content-Type", "").lower()
        if outcome is Outcome.ACCEPTED and (html or text.strip()):
            # An Alertmanager that accepts says nothing. A web server answers whatever it is asked.
            outcome = Outcome.FAILED
            reason = f"no Alertmanager answers there: {reason} with {'HTML' if html else 'a text'}"
        return Answer(outcome, _date(response.headers), reason=reason)

    def _connections(self) -> urllib3.PoolManager:
        if self._ca_file:
            # One that cannot be read is named so; what reads it later does not say which it was.
            _try_out(self._ca_file)
        http = urllib3.PoolManager(
            num_pools=1,
            maxsize=1,
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_ANSWER_SECONDS),
            ca_certs=str(self._ca_file) if self._ca_file else None,
        )
        self._deadline.watch(http.connection_from_url(self._url))
        return http


def name_of(url: str) -> str:
    """Return what an Alertmanager is called in metrics and logs: host, port, and its path if it has one."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{port}{parts.path}"


def _authorization(settings: Alertmanager) -> dict[str, str]:
    if settings.token is not None:
        return {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
    if settings.username is not None and settings.password is not None:
        both = f"{settings.username}:{settings.password.get_secret_value()}"
        return {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}
    return {}


def _outcome(status: int) -> Outcome:
    if status in range(200, 300):
        return Outcome.ACCEPTED
    return Outcome.REFUSED if status in _REFUSALS else Outcome.FAILED


def _date(headers: urllib3.HTTPHeaderDict) -> datetime | None:
    try:
        return parsedate_to_datetime(headers.get("Date", "")).astimezone(UTC)
    except ValueError:
        return None


def _try_out(ca_file: Path) -> None:
    """Raise OSError with the name of a file from which no certificate can be read."""
    ca_file.open("rb").close()
    try:
        ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise OSError(error.errno, "no certificate can be read from it", str(ca_file)) from None


def _reason(error: HTTPError) -> str:
    """Say in a clause why there is no answer: what the library says is for programmers."""
    match error.__cause__ or error.__context__:
        case ssl.SSLCertVerificationError() as cause:
            return f"its certificate is not trusted: {cause.verify_message.rstrip('.')}"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return "TLS failed: it closed the connection"
        case ssl.SSLError() as cause:
            return f"TLS failed: {(cause.reason or 'no reason given').lower().replace('_', ' ')}"
        case socket.gaierror() as cause:
            return f"its name is not found: {(cause.strerror or 'no reason given').lower()}"
        case TimeoutError():
            connecting = isinstance(error, ConnectTimeoutError)
            return "no connection in time" if connecting else "no answer in time"
        case RemoteDisconnected():
            return "it closed the connection without an answer"
        case HTTPException():
            return "its answer is not HTTP"
        case OSError(strerror=str(words)):
            return words.lower()
    return type(error).__name__
