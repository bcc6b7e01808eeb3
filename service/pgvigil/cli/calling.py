"""How a command asks a running daemon, and tells it something."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pgvigil import __version__
from pgvigil.config.serving import plain_url
from pgvigil.errors import PgvigilError, UsageError


class RefusedError(UsageError):
    """A daemon refused what it was asked or told: with a status, and a reason in its own words."""

    def __init__(self, url: str, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{url}: {status}: {reason}")


@dataclass(frozen=True, slots=True)
class Daemon:
    """Where a daemon serves, and how it is asked: with a token from a file, or from $PGVIGIL_TOKEN."""

    url: str
    token_file: Path | None = None
    ca_file: Path | None = None

    def get(self, path: str, narrowed: Mapping[str, str | None]) -> Any:
        """Return what the API answers.

        Raises PgvigilError when the daemon cannot be reached, RefusedError when it refuses. A token is sent
        if there is one: reading may be open to everybody.
        """
        query = urlencode({name: value for name, value in narrowed.items() if value is not None})
        return self._ask("GET", f"{path}?{query}" if query else path, None, _token(self.token_file))

    def post(self, path: str, what: Mapping[str, Any]) -> Any:
        """Tell the API something, but for what is None, and return what it answers; raises as `get` does."""
        said = {name: value for name, value in what.items() if value is not None}
        token = _token(self.token_file)
        if not token:
            raise UsageError(
                "no token: give --token-file FILE or $PGVIGIL_TOKEN, one of web.tokens with the scope write"
            )
        return self._ask("POST", path, json.dumps(said), token)

    def _ask(self, method: str, path: str, body: str | None, token: str) -> Any:
        url = f"{_base(self.url)}/api/v1/{path}"
        headers = {"User-Agent": f"pgvigil/{__version__}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if token:
            headers["Authorization"] = f"Bearer {token}"
        from pgvigil.cli.transport import request  # noqa: PLC0415 -- many commands only may call

        status, answer = request(method, url, body, headers, self.ca_file)
        try:
            said = json.loads(answer)
        except ValueError:
            said = None
        if 200 <= status < 300 and said is not None:
            return said
        raise _refusal(url, status, said)


def _base(url: str) -> str:
    try:
        return plain_url(url)
    except ValueError as error:
        raise UsageError(f"--url {url}: {error}") from None


def _token(file: Path | None) -> str:
    """Return the token that there is, empty for none; raises UsageError when it is none."""
    try:
        token = file.read_text(encoding="ascii") if file else os.environ.get("PGVIGIL_TOKEN", "")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no token"
        raise UsageError(f"--token-file {file}: {reason}") from None
    token = token.strip()
    return token if token.isprintable() else ""


def _refusal(url: str, status: int, said: object) -> PgvigilError:
    error = said.get("error") if isinstance(said, dict) else None
    reason = "no pgvigil answers there" if error is None else str(error)
    if 400 <= status < 500:
        return RefusedError(url, status, reason)
    return PgvigilError(f"{url}: {status}: {reason}")
