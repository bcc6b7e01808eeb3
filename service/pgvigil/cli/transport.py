"""Requests over HTTP, with bounds on how long they take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import urllib3

from pgvigil.errors import PgvigilError, UsageError

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
# What a proxy or a daemon that starts anew answers; whatever is told twice is recorded once.
_PASSING = frozenset((502, 503, 504))
_ATTEMPTS = 3


def request(
    method: str, url: str, body: str | None, headers: Mapping[str, str], ca_file: Path | None
) -> tuple[int, bytes]:
    """Return the status and the content of an answer; raises PgvigilError when there is none."""
    try:
        with _pool(ca_file) as pool:
            answer = pool.request(method, url, body=body, headers=headers)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise PgvigilError(
            f"{url}: {_reason(error)}; is pgvigil running there? (--url, $PGVIGIL_URL)"
        ) from None
    return answer.status, answer.data


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


def _reason(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        return _reason(error.reason)
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "connection refused, or no such host"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "what listens there does not answer as a web server"
    if isinstance(error, urllib3.exceptions.SSLError) and "WRONG_VERSION_NUMBER" in str(error):
        return "what listens there speaks no TLS: an address with http:// may be meant"
    return " ".join(str(error).split())
