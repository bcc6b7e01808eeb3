"""Verifies passwords, which is slow on purpose, so that it holds up nothing else.

One is verified at a time, off the event loop. What was right is remembered, under a key that cannot be turned
back, so a scrape that was let in once costs no more than a hash. Each address has a few places in the queue,
so that one that guesses passwords keeps no other from logging in.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping

import bcrypt
from anyio import CapacityLimiter, to_thread

from pgvigil.web.access import Refused

_MOST_KNOWN = 256
_MOST_WAITING = 64
_MOST_WAITING_OF_AN_ADDRESS = 8
# bcrypt reads no more of a password than this.
_LONGEST = 72
_DEFAULT_COST = b"10"

Compare = Callable[[bytes, bytes], bool]


class Passwords:
    """The passwords of one server, on its event loop. `compare` takes a password and a bcrypt hash."""

    def __init__(self, compare: Compare = bcrypt.checkpw) -> None:
        self._compare = compare
        self._secret = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._running: dict[bytes, asyncio.Task[bool]] = {}
        self._waiting: Counter[str] = Counter()
        self._one_at_a_time = CapacityLimiter(1)

    async def right(self, user: str, password: bytes, users: Mapping[str, bytes], address: str) -> bool:
        """Tell whether it is the user's password; takes as long for a user who does not exist.

        Raises Refused when too many wait already.
        """
        hashed = users.get(user)
        against = hashed if hashed is not None else _of_nobody(users)
        key = self._key(user, password, against)
        if key in self._known:
            self._known.move_to_end(key)
            return True
        task = self._running.get(key) or self._begin(key, password, against, address)
        # The caller may leave; others may wait for the same answer.
        matches = await asyncio.shield(task)
        if matches and hashed is not None:
            self._remember(key)
            return True
        return False

    def _key(self, user: str, password: bytes, hashed: bytes) -> bytes:
        parts = (user.encode("utf-8", "surrogatepass"), password, hashed)
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.new(self._secret, message, hashlib.sha256).digest()

    def _begin(self, key: bytes, password: bytes, hashed: bytes, address: str) -> asyncio.Task[bool]:
        full = self._waiting[address] >= _MOST_WAITING_OF_AN_ADDRESS
        if full or self._waiting.total() >= _MOST_WAITING:
            raise Refused(429, "too many logins at a time", [("Retry-After", "1")])
        self._waiting[address] += 1
        task = self._running[key] = asyncio.create_task(self._verify(password, hashed))

        def done(_: asyncio.Task[bool]) -> None:
            del self._running[key]
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]

        task.add_done_callback(done)
        return task

    async def _verify(self, password: bytes, hashed: bytes) -> bool:
        return await to_thread.run_sync(
            self._compare, password[:_LONGEST], hashed, limiter=self._one_at_a_time
        )

    def _remember(self, key: bytes) -> None:
        self._known[key] = None
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)


def _of_nobody(users: Mapping[str, bytes]) -> bytes:
    """Return a hash that costs as much as the dearest of the users', and that belongs to no password."""
    cost = max((hashed[4:6] for hashed in users.values()), default=_DEFAULT_COST)
    return b"$2b$" + cost + b"$" + b"." * 53
