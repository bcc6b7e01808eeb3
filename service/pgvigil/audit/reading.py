"""Reads what a server knows of itself in one snapshot, over two sessions where the budget has them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from pgvigil.catalog import Catalog, SchemaState, constraints_query, made_state
from pgvigil.catalog.read import foreign_keys_query, made_tables, tables_queries, with_foreign_keys
from pgvigil.catalog.statistics import Statistics
from pgvigil.catalog.statistics_read import Wanted, made_statistics, statistics_queries
from pgvigil.check import Query, Row
from pgvigil.errors import TargetError
from pgvigil.inference import relevant_columns
from pgvigil.target import Snapshot, Target
from pgvigil.watch import Watch

_PURPOSE = "audit"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one snapshot has shown."""

    catalog: Catalog
    state: SchemaState
    statistics: Statistics


@contextmanager
def seeing(watch: Watch) -> Iterator[tuple[Catalog, Future[Seen]]]:
    """Read the catalog, and the rest of its snapshot on other threads; raises TargetError."""
    queries = _Queries()
    with ThreadPoolExecutor(3, thread_name_prefix=_PURPOSE) as threads:
        try:
            yield _begun(watch, queries, threads)
        except BaseException as error:
            # Nobody waits for the answers any more.
            queries.fail(error)
            raise


def _begun(watch: Watch, queries: _Queries, threads: Executor) -> tuple[Catalog, Future[Seen]]:
    with ExitStack() as stack:
        own = stack.enter_context(watch.target.snapshot(_PURPOSE))
        # What needs no look at the tables may be asked meanwhile.
        keys = queries.ask(foreign_keys_query())
        asked = {
            "constraints": [queries.ask(constraints_query())],
            "whole": [queries.ask(query) for query in statistics_queries()],
        }
        _help(watch.target, own, queries, threads)
        tables = made_tables([_fetch(own, query) for query in tables_queries()], watch.scope)
        wanted = Wanted.of(tables, relevant_columns(tables))
        asked["columns"] = [queries.ask(wanted.query, soon=True)]
        threads.submit(queries.answer, own, stack.pop_all())
        catalog = with_foreign_keys(tables, keys.result())
        return catalog, threads.submit(_seen, catalog, wanted, asked)


def _seen(catalog: Catalog, wanted: Wanted, asked: dict[str, list[Future[list[Row]]]]) -> Seen:
    # The rows of a large database are hundreds of megabytes: each answer is let go of when it is made use of.
    state = made_state(catalog, asked.pop("constraints")[0].result())
    whole = [rows.result() for rows in asked.pop("whole")]
    described = asked.pop("columns")[0].result()
    return Seen(catalog, state, made_statistics(catalog, wanted, whole, described))


def _help(target: Target, own: Snapshot, queries: _Queries, threads: Executor) -> None:
    """Let another session of the budget answer as well, once it has one to spare."""
    shared = own.share()
    if shared is None:
        return

    def answer() -> None:
        # Who gets no session leaves the work to the own one. Nobody waits for it: a pooler may hold it back
        # until that one has ended.
        with suppress(TargetError), target.beside(shared, _PURPOSE) as other:
            # Behind one name there may be another server, to which the same word stands for another snapshot.
            if other is not None and other.server == own.server:
                queries.answer(other, ExitStack())

    threads.submit(answer)


def _fetch(snapshot: Snapshot, query: Query) -> list[Row]:
    # To take a hundred thousand rows out of a stream, one after the other, takes longer than to ask for them.
    return snapshot.fetch_each([query], most_rows=None)[0]


class _Queries:
    """Queries for the sessions of one snapshot: whoever is free takes the next one. Safe for threads."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Query, Future[list[Row]]]] = deque()
        self._begun = False

    def ask(self, query: Query, *, soon: bool = False) -> Future[list[Row]]:
        """Let somebody answer it; `soon` before all others, if one of them has been taken."""
        answer: Future[list[Row]] = Future()
        if soon and self._begun:
            self._waiting.appendleft((query, answer))
        else:
            self._waiting.append((query, answer))
        return answer

    def answer(self, snapshot: Snapshot, ending: ExitStack) -> None:
        """Answer one after the other until none waits, then end the snapshot; a failure goes to who asked."""
        with ending:
            while taken := self._taken():
                query, answer = taken
                try:
                    answer.set_result(_fetch(snapshot, query))
                except Exception as error:  # noqa: BLE001 -- raised by whoever waits for it
                    answer.set_exception(error)
                    # After one failure the server answers nothing else in the same transaction.
                    self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Let nobody answer what still waits."""
        while taken := self._taken():
            taken[1].set_exception(error)

    def _taken(self) -> tuple[Query, Future[list[Row]]] | None:
        try:
            taken = self._waiting.popleft()
        except IndexError:
            return None
        self._begun = True
        return taken
