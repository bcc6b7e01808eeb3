"""Checks that do what no check should, while they run."""

from __future__ import annotations

import sys
import threading
from typing import Any

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Context, Discovery, Examined, Params, Subject


class _Crooked(Check[Params]):
    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery((Subject("everything"),))


class Raises(_Crooked):
    """Raises.

    Proves: that a crash is a failed run.
    Cost: none.
    False positives: none.
    Remedy: none.
    """

    name = "raises"

    def run(self, context: Context, subject: Subject) -> Examined:
        raise KeyError("what the author did not think of")


class Exits(_Crooked):
    """Leaves the process.

    Proves: that nobody can.
    Cost: none.
    False positives: none.
    Remedy: none.
    """

    name = "exits"

    def run(self, context: Context, subject: Subject) -> Examined:
        sys.exit(0)


class Hangs(_Crooked):
    """Never returns.

    Proves: that the others go on.
    Cost: a thread.
    False positives: none.
    Remedy: none.
    """

    name = "hangs"

    def run(self, context: Context, subject: Subject) -> Examined:
        context.fetch("SELECT 1")
        threading.Event().wait()
        return Examined()


class Babbles(_Crooked):
    """Returns nonsense.

    Proves: that nonsense is no verdict.
    Cost: none.
    False positives: none.
    Remedy: none.
    """

    name = "babbles"

    def run(self, context: Context, subject: Subject) -> Any:
        return {"all": "fine"}


class Writes(_Crooked):
    """Writes to the database.

    Proves: that nobody can.
    Cost: none.
    False positives: none.
    Remedy: none.
    """

    name = "writes"

    def run(self, context: Context, subject: Subject) -> Examined:
        context.fetch("WITH one AS (INSERT INTO public.few VALUES (1) RETURNING *) SELECT * FROM one")
        return Examined()


class GetsLost(_Crooked):
    """Crashes before it has found anything.

    Proves: that the others go on.
    Cost: none.
    False positives: none.
    Remedy: none.
    """

    name = "gets_lost"

    def discover(self, catalog: Catalog) -> Discovery:
        raise ZeroDivisionError("division by zero")

    def run(self, context: Context, subject: Subject) -> Examined:
        return Examined()


CHECKS = (Raises, Exits, Hangs, Babbles, Writes, GetsLost)
