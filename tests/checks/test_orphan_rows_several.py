"""Several relations of one big child are judged together: each as if alone, and the child is read once."""

from __future__ import annotations

from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgvigil.catalog import Scope
from pgvigil.check import Outcome
from pgvigil.context import Assistance
from pgvigil.errors import BrokenOffError
from pgvigil.governor import Governor
from pgvigil.runner import RunLimits, Runner
from pgvigil.sweep import sweep
from pgvigil.target import Target
from pgvigil_checks import orphan_rows
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams
from pgvigil_checks.orphans import bits, paths, scan, sieve, walk
from tests.checks.integer_relations import IntegerRelation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pgvigil.run import Run

WORLDS, RELATIONS, CHILDREN = 8, 5, 30
SAMPLE = 5


class World:
    """A child with several relations, in a schema of its own; all of them declared, or all configured."""

    def __init__(self, schema: str, dice: Random) -> None:
        self.schema = schema
        self.relations = [IntegerRelation(schema, dice) for _ in range(RELATIONS)]
        self.configured = self.relations[0].configured
        self.partitioned = self.relations[0].partitioned
        for relation in self.relations:
            relation.children = {n: relation.children.get(n) for n in range(1, CHILDREN + 1)}

    def orphans(self) -> dict[str, list[int]]:
        return {self.subject(at): relation.orphans() for at, relation in enumerate(self.relations)}

    def subject(self, at: int) -> str:
        return f"{self.schema}.child(k{at}) -> {self.schema}.parent{at}(k)"

    def sql(self) -> str:
        rows = ", ".join(
            f"({n}, {', '.join(_written(one.children[n]) for one in self.relations)})"
            for n in range(1, CHILDREN + 1)
        )
        columns = ", ".join(f"k{at} {one.child_type}" for at, one in enumerate(self.relations))
        keys = "".join(
            f", FOREIGN KEY (k{at}) REFERENCES parent{at} (k)"
            for at in range(RELATIONS)
            if not self.configured
        )
        parts = "".join(
            f"CREATE TABLE child_{at} PARTITION OF child FOR VALUES WITH (MODULUS 2, REMAINDER {at});"
            for at in range(2 * self.partitioned)
        )
        return f"""
            CREATE SCHEMA {self.schema}; SET search_path = {self.schema};
            {"".join(self._parent(at, one) for at, one in enumerate(self.relations))}
            CREATE TABLE child (n int PRIMARY KEY, {columns}{keys})
            {"PARTITION BY HASH (n)" if self.partitioned else ""};
            {parts}
            INSERT INTO child VALUES {rows};
        """

    def _parent(self, at: int, relation: IntegerRelation) -> str:
        unique = not self.configured or relation.parent_index.startswith("UNIQUE")
        # A key that is declared needs each value once.
        keys = list(dict.fromkeys(relation.parents)) if unique else relation.parents
        return f"""
            CREATE TABLE parent{at} (k {relation.parent_type}{" UNIQUE" if unique else ""});
            {"" if unique else f"CREATE INDEX ON parent{at} (k);"}
            {f"INSERT INTO parent{at} VALUES {', '.join(f'({_written(k)})' for k in keys)};" if keys else ""}
        """


def _written(value: int | None) -> str:
    return "NULL" if value is None else f"'{value}'"


class Several:
    """Examines what is in a database, in batches as the check makes them."""

    def __init__(self, target: Target, relations: list[str], chunk_seconds: float | None) -> None:
        self.check = OrphanRows(OrphanRowsParams.model_validate({"relations": relations}))
        self.runner = Runner(target, RunLimits(sample=SAMPLE, chunk_seconds=chunk_seconds))
        self.catalog = target.read_catalog(Scope())
        self.subjects = self.check.discover(self.catalog).subjects

    def together(self, assistance: Assistance | None = None) -> dict[str, Run]:
        """Return the runs of those that were judged together."""
        runs: dict[str, Run] = {}
        for batch in self.check.batches(self.subjects):
            several = self.runner.execute_together(
                self.check, batch, self.catalog, assistance or Assistance()
            )
            runs |= {run.subject: run for run in several.runs} if several else {}
        return runs

    def swept(self) -> dict[str, Run]:
        """Return all runs of one sweep."""
        swept = sweep(self.runner, Governor(), self.check, self.subjects, self.catalog)
        return {run.subject: run for runs in swept for run in runs}


@contextmanager
def several(
    database: str, relations: list[str] | None = None, chunk_seconds: float | None = None
) -> Iterator[Several]:
    target = Target("test", database)
    patch = pytest.MonkeyPatch()
    patch.setattr(paths, "_FEWEST_ROWS", 0)
    patch.setattr(walk, "_FIRST_ROWS", 7)
    patch.setattr(walk, "_MOST_SMALL_CHUNKS", 1_000_000)
    patch.setattr(sieve, "_FEWEST_TO_SHARE", 2)
    patch.setattr(bits, "_FEWEST_TO_SHARE", 2)
    patch.setattr(orphan_rows, "small_together", lambda subjects: [(one,) for one in subjects])
    try:
        yield Several(target, relations or [], chunk_seconds)
    finally:
        patch.undo()
        target.close()


def agree(runs: Mapping[str, Run], orphans: Mapping[str, list[int]], because: str) -> None:
    for subject, run in runs.items():
        assert run.outcome.completed, run.error
        assert "read together for" in run.explain, run.explain
        assert sum(one.count for one in run.findings) == len(orphans[subject]), (subject, because)
        shown = [row["n"] for one in run.findings for row in one.sample]
        assert shown == orphans[subject][:SAMPLE], (subject, because)


@pytest.mark.parametrize("seed", range(300, 302))
def test_oracle(seed: int, emptied_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = Random(seed)
    worlds = [World(f"w{number}", dice) for number in range(WORLDS)]
    with psycopg.connect(emptied_database) as conn:
        conn.execute("SET session_replication_role = replica")
        for world in worlds:
            conn.execute(world.sql().encode())
        if seed % 2:
            conn.execute("ANALYZE")
    orphans = {subject: rows for world in worlds for subject, rows in world.orphans().items()}
    assert sum(map(len, orphans.values())) > 50
    configured = [world.subject(at) for world in worlds if world.configured for at in range(RELATIONS)]
    # As if the child were so big that its pages are scanned in parts.
    monkeypatch.setattr(scan, "_FEWEST_PAGES", 0)
    monkeypatch.setattr(bits, "_STEP", 512)
    cases = 0
    for chunk_seconds in (None, 1e-9):
        with several(emptied_database, configured, chunk_seconds) as examining:
            runs = examining.together()
        agree(runs, orphans, worlds[0].sql())
        cases += len(runs)
        strategy = "bitmap" if chunk_seconds is None else "walk_key"
        assert {run.strategy for run in runs.values()} == {strategy}
    assert cases >= 30, cases


GIVEN = """
    CREATE TABLE parent1 (id int PRIMARY KEY);
    CREATE TABLE parent2 (id int PRIMARY KEY);
    INSERT INTO parent1 SELECT generate_series(1, 50);
    INSERT INTO parent2 SELECT n * 3 FROM generate_series(1, 50) AS n;
    CREATE TABLE child (
        n int PRIMARY KEY,
        a int REFERENCES parent1,
        b bigint REFERENCES parent2,
        c smallint REFERENCES parent1
    );
    SET session_replication_role = replica;
    INSERT INTO child SELECT n, 1 + n % 50, 3 * (1 + n % 50), 1 + n % 50 FROM generate_series(1, 300) AS n;
    UPDATE child SET a = 77 WHERE n IN (7, 290);
    UPDATE child SET b = 4 WHERE n = 150;
    ANALYZE;
"""
A, B, C = (
    f"public.child({column}) -> public.parent{at}(id)" for column, at in (("a", 1), ("b", 2), ("c", 1))
)
ORPHANS = {A: [7, 290], B: [150], C: []}


@pytest.fixture
def given(emptied_database: str) -> str:
    with psycopg.connect(emptied_database, autocommit=True) as conn:
        conn.execute(GIVEN)
    return emptied_database


@pytest.mark.parametrize("chunk_seconds", [None, 1e-9])
def test_the_child_is_read_once(
    chunk_seconds: float | None, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered = []
    for name in ("gather", "gather_in_chunks"):
        original = getattr(bits, name)

        def counting(*given: Any, original: Any = original) -> Any:
            gathered.append(given)
            return original(*given)

        monkeypatch.setattr(
            f"pgvigil_checks.orphans.{'several' if name == 'gather' else 'paths'}.{name}", counting
        )
    with several(given, chunk_seconds=chunk_seconds) as examining:
        agree(examining.together(), ORPHANS, GIVEN)
    # The keys of the parent of two relations are gathered once; in one snapshot they are proved to be dense.
    assert len(gathered) == (1 if chunk_seconds is None else 2)


def test_a_relation_that_fails_takes_none_of_the_others_along(given: str) -> None:
    with psycopg.connect(given, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS reads_some")
        conn.execute("CREATE ROLE reads_some LOGIN PASSWORD 'some'")
        try:
            conn.execute("GRANT SELECT ON child, parent1 TO reads_some")
            with several(make_conninfo(given, user="reads_some", password="some")) as examining:
                runs = examining.swept()
        finally:
            conn.execute("DROP OWNED BY reads_some; DROP ROLE reads_some")
    assert {name: run.outcome for name, run in runs.items()} == {
        A: Outcome.FAIL,
        B: Outcome.ERROR,
        C: Outcome.PASS,
    }


def test_that_all_is_well_again_is_left_to_one_snapshot(given: str) -> None:
    def remembering(subject: Any) -> Assistance:
        return Assistance(memory={"faults": 3} if subject.name in (A, C) else {})

    with several(given, chunk_seconds=1e-9) as examining:
        runs = examining.together(Assistance(each=remembering))
    # What is still at fault is shown by the walk, and what is not any more by nobody yet.
    assert {name: run.outcome for name, run in runs.items()} == {A: Outcome.FAIL, B: Outcome.FAIL}


def test_a_walk_that_was_broken_off_goes_on_where_it_was(given: str) -> None:
    states: list[dict[str, Any]] = []

    def save(state: Any, _done: float) -> None:
        states.extend([dict(state)] if state else [])
        if len(states) == 20:
            raise BrokenOffError("later")

    with several(given, chunk_seconds=1e-9) as examining:
        assert not examining.together(Assistance(save=save))
        resumed = states[-1]
        assert resumed["each"][0]["orphans"] == 1
        states.clear()
        states.append({})
        with psycopg.connect(given) as conn:
            conn.execute(sql.SQL("DELETE FROM child WHERE n = 7"))
        runs = examining.together(Assistance(resumed=resumed))
    # What was found before is counted as it is at the end.
    agree(runs, {**ORPHANS, A: [290]}, GIVEN)


def test_a_walk_of_other_relations_is_not_gone_on_with(given: str) -> None:
    """Which of a child's relations are walked together depends on what their parents hold at the time."""
    states: list[dict[str, Any]] = []

    def save(state: Any, _done: float) -> None:
        states.extend([dict(state)] if state else [])
        if len(states) == 20:
            raise BrokenOffError("later")

    with psycopg.connect(given, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica; UPDATE child SET c = 99 WHERE n = 3")
    with several(given, chunk_seconds=1e-9) as examining:
        all_subjects = examining.subjects
        examining.subjects = tuple(one for one in all_subjects if one.name != C)
        assert not examining.together(Assistance(save=save))
        examining.subjects = tuple(one for one in all_subjects if one.name != B)
        runs = examining.together(Assistance(resumed=states[-1]))
    assert set(runs) == {A, C}
    agree(runs, {**ORPHANS, C: [3]}, GIVEN)
