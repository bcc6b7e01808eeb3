"""`pgvigil deployment mark`: tell a running daemon that something was deployed."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from pgvigil import __version__
from pgvigil.config.serving import plain_url
from pgvigil.errors import PgvigilError, UsageError

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
# What a proxy or a daemon that starts anew answers; telling a deployment twice records it once.
_PASSING = frozenset((502, 503, 504))
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be told, and to whom. `at` is an RFC 3339 time, now when it is None."""

    url: str
    version: str
    target: str | None
    at: str | None
    examine: bool
    token_file: Path | None
    ca_file: Path | None


def mark(request: Request) -> None:
    """Tell the daemon; raises PgvigilError when it cannot be reached, UsageError when it refuses."""
    question = {
        "version": request.version,
        "target": request.target,
        "at": request.at,
        "examine": request.examine,
    }
    said = {name: value for name, value in question.items() if value is not None}
    answer = _post(request, f"{_base(request.url)}/api/v1/deployments", said)
    for one in answer["deployments"]:
        sys.stdout.write(f"marked {one['target']} {one['version']} at {one['at']}\n")
    ticks = ", ".join(answer["examining"])
    sys.stdout.write(f"examining {ticks}\n" if ticks else "")


def _base(url: str) -> str:
    try:
        return plain_url(url)
    except ValueError as error:
        raise UsageError(f"--url {url}: {error}") from None


def _post(request: Request, url: str, what: dict[str, Any]) -> Any:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"pgvigil/{__version__}",
        "Authorization": f"Bearer {_token(request.token_file)}",
    }
    try:
        with _pool(request.ca_file) as pool:
            answer = pool.request("POST", url, body=json.dumps(what), headers=headers)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise PgvigilError(
            f"{url}: {_reason(error)}; is pgvigil running there? (--url, $PGVIGIL_URL)"
        ) from None
    if answer.status == 201:
        return answer.json()
    raise _refusal(url, answer)


def _pool(ca_file: Path | None) -> urllib3.PoolManager:
    if ca_file is not None and not ca_file.is_file():
        raise UsageError(f"--ca-file {ca_file} cannot be read")
    retries = urllib3.Retry(
        total=_ATTEMPTS,
        redirect=0,
        backoff_factor=0.5,
        status_forcelist=_PASSING,
        allowed_methods=None,
        raise_on_status=False,
    )
    timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_ANSWER_SECONDS)
    return urllib3.PoolManager(retries=retries, timeout=timeout, ca_certs=str(ca_file) if ca_file else None)


def _token(file: Path | None) -> str:
    try:
        token = file.read_text(encoding="ascii") if file else os.environ.get("PGVIGIL_TOKEN", "")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no token"
        raise UsageError(f"--token-file {file}: {reason}") from None
    token = token.strip()
    if not token or not token.isprintable():
        raise UsageError(
            "no token: give --token-file FILE or $PGVIGIL_TOKEN, one of web.tokens with the scope write"
        )
    return token


def _refusal(url: str, answer: urllib3.BaseHTTPResponse) -> PgvigilError:
    try:
        reason = str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        reason = "no pgvigil answers there"
    message = f"{url}: {answer.status}: {reason}"
    return UsageError(message) if 400 <= answer.status < 500 else PgvigilError(message)


def _reason(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        return _reason(error.reason)
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "connection refused, or no such host"
    return " ".join(str(error).split())
