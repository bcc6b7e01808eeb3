"""What `foreign_keys` must say of which database."""

from __future__ import annotations

import pytest

from pgvigil.catalog import Scope
from pgvigil.check import Severity
from tests.checks.case import Case, Expected, Found, fails, passes, unknown

TABLES = """
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (n int PRIMARY KEY, parent_id int);
    CREATE INDEX ON child (parent_id);
"""
KEY = TABLES + "ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent;"
RELATION = "public.child(parent_id) -> public.parent(id)"
BROKEN = Found(1, severity=Severity.CRITICAL)
DOUBTFUL = Found(1, severity=Severity.WARNING)
NOTE = Found(1, severity=Severity.INFO)
SINCE_18 = (pytest.mark.pg(">= 18"),)

PROTECTION = (
    Case(
        title="a key that protects",
        given=KEY + "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)",
        expected={RELATION: passes(rows=0)},
    ),
    Case(
        title="a key that is NOT VALID, whether or not rows violate it",
        given=TABLES + "ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID",
        expected={
            RELATION: fails(
                not_valid=Found(
                    1, ({"table": "public.child", "constraint": "child_parent_id_fkey"},), Severity.CRITICAL
                )
            )
        },
    ),
    Case(
        title="a key that was validated",
        given=TABLES
        + """
            ALTER TABLE child ADD CONSTRAINT k FOREIGN KEY (parent_id) REFERENCES parent NOT VALID;
            ALTER TABLE child VALIDATE CONSTRAINT k
        """,
        expected={RELATION: passes()},
    ),
    Case(
        title="a key that is NOT ENFORCED is not reported as NOT VALID again",
        given=TABLES + "ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT ENFORCED",
        server=SINCE_18,
        expected={RELATION: fails(not_enforced=BROKEN)},
    ),
    Case(
        title="the child's triggers are disabled, one table of two keys",
        given=KEY
        + """
            CREATE TABLE other (id int PRIMARY KEY, parent_id int UNIQUE REFERENCES parent);
            ALTER TABLE child DISABLE TRIGGER ALL
        """,
        expected={
            RELATION: fails(triggers_disabled=BROKEN),
            "public.other(parent_id) -> public.parent(id)": passes(),
        },
    ),
    Case(
        title="the parent's triggers are disabled: rows that are referred to can be deleted",
        given=KEY + "ALTER TABLE parent DISABLE TRIGGER ALL",
        expected={RELATION: fails(triggers_disabled=BROKEN)},
    ),
    Case(
        title="a trigger that fires on replicas only",
        given=KEY
        + """
            DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE child ENABLE REPLICA TRIGGER %I', tgname)
                FROM pg_trigger WHERE tgrelid = 'child'::regclass ORDER BY tgname LIMIT 1); END $$
        """,
        expected={RELATION: fails(triggers_replica_only=BROKEN)},
    ),
    Case(
        title="triggers that fire always, and user triggers that are disabled",
        given=KEY
        + """
            DO $$ BEGIN EXECUTE (
                SELECT string_agg(format('ALTER TABLE child ENABLE ALWAYS TRIGGER %I', tgname), '; ')
                FROM pg_trigger WHERE tgrelid = 'child'::regclass); END $$;
            CREATE TRIGGER mine BEFORE UPDATE ON child
                FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
            ALTER TABLE child DISABLE TRIGGER mine
        """,
        expected={RELATION: passes()},
    ),
    Case(
        title="the triggers are gone",
        given=KEY
        + """
            SET allow_system_table_mods = on;
            WITH gone AS (DELETE FROM pg_trigger WHERE tgname LIKE 'RI_ConstraintTrigger%' RETURNING oid)
            DELETE FROM pg_depend WHERE classid = 'pg_trigger'::regclass AND objid IN (SELECT oid FROM gone)
        """,
        expected={RELATION: fails(triggers_missing=BROKEN)},
    ),
    Case(
        title="the index that the key refers to is invalid",
        given=KEY
        + "SET allow_system_table_mods = on;"
        + "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'parent_pkey'::regclass",
        expected={RELATION: fails(index_invalid=BROKEN)},
    ),
    Case(
        title="several faults of one key",
        given=TABLES
        + """
            ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID;
            ALTER TABLE child DISABLE TRIGGER ALL
        """,
        expected={RELATION: fails(not_valid=BROKEN, triggers_disabled=BROKEN)},
    ),
    Case(
        title="names that need quotes",
        given="""
            CREATE TABLE "Old. %s ""parent" ("The Id" int PRIMARY KEY);
            CREATE TABLE "select" ("a b" int UNIQUE);
            ALTER TABLE "select" ADD CONSTRAINT "it's ""one"" {%}" FOREIGN KEY ("a b")
                REFERENCES "Old. %s ""parent" NOT VALID
        """,
        expected={'public."select"("a b") -> public."Old. %s ""parent"("The Id")': fails(not_valid=BROKEN)},
    ),
    Case(
        title="only the watched schemas, and what is expected elsewhere",
        given=KEY
        + """
            CREATE SCHEMA old; CREATE TABLE old.child (id int UNIQUE REFERENCES parent);
            CREATE TABLE old.more (id int UNIQUE REFERENCES parent);
            ALTER TABLE old.child DISABLE TRIGGER ALL; ALTER TABLE old.more DISABLE TRIGGER ALL
        """,
        scope=Scope(exclude=("old",)),
        settings={"expected": ["old.child(id) -> public.parent(id)"]},
        expected={RELATION: passes(), "old.child(id) -> public.parent(id)": fails(triggers_disabled=BROKEN)},
    ),
)

PARTITIONED = """
    CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE parent_low PARTITION OF parent FOR VALUES FROM (0) TO (10);
    CREATE TABLE parent_rest PARTITION OF parent DEFAULT;
    CREATE TABLE child (n int, parent_id int) PARTITION BY LIST (n);
    CREATE TABLE child_1 PARTITION OF child FOR VALUES IN (1);
    CREATE TABLE child_rest PARTITION OF child DEFAULT PARTITION BY LIST (n);
    CREATE TABLE child_rest_all PARTITION OF child_rest DEFAULT;
    ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent;
    CREATE INDEX ON child (parent_id);
"""

PARTITIONS = (
    Case(
        title="partitions on both sides are one key",
        given=PARTITIONED,
        expected={RELATION: passes()},
    ),
    Case(
        title="the triggers of one partition are disabled",
        given=PARTITIONED + "ALTER TABLE child_rest_all DISABLE TRIGGER ALL",
        expected={RELATION: fails(triggers_disabled=BROKEN)},
    ),
    Case(
        title="the triggers of one of the parent's partitions are disabled",
        given=PARTITIONED + "ALTER TABLE parent_low DISABLE TRIGGER ALL",
        expected={RELATION: fails(triggers_disabled=BROKEN)},
    ),
    Case(
        title="the index of one of the parent's partitions is invalid",
        given=PARTITIONED
        + "SET allow_system_table_mods = on;"
        + "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'parent_low_pkey'::regclass",
        expected={RELATION: fails(index_invalid=BROKEN)},
    ),
    Case(
        title="every partition has an index of its own",
        given=PARTITIONED
        + """
            DROP INDEX child_parent_id_idx;
            CREATE INDEX ON child_1 (parent_id); CREATE INDEX ON child_rest_all (parent_id, n)
        """,
        expected={RELATION: passes()},
    ),
    Case(
        title="one partition has no index",
        given=PARTITIONED + "DROP INDEX child_parent_id_idx; CREATE INDEX ON child_1 (parent_id)",
        expected={RELATION: passes(unindexed=NOTE)},
    ),
    Case(
        title="a temporal key",
        given="""
            CREATE TABLE parent (id int4range, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
            CREATE TABLE child (id int4range, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS),
                                FOREIGN KEY (id, PERIOD during) REFERENCES parent (id, PERIOD during))
        """,
        server=SINCE_18,
        expected={"public.child(id, during) -> public.parent(id, during)": passes()},
    ),
)


def indexed_by(index: str, **notes: Found) -> tuple[str, dict[str, Expected]]:
    """Return the SQL of a key of two columns with one index of the child, and what to expect of it."""
    sql = f"""
        CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
        CREATE TABLE child (n int, a int, b int, FOREIGN KEY (a, b) REFERENCES parent);
        CREATE INDEX ON child {index}
    """
    return sql, {"public.child(a, b) -> public.parent(a, b)": passes(**notes)}


NOTES = (
    *(
        Case(title=f"an index {index}", given=given, expected=expected)
        for index, (given, expected) in {
            "in another order, with more columns": indexed_by("(b, a, n)"),
            "that leads with another column": indexed_by("(n, a, b)", unindexed=NOTE),
            "of one column only": indexed_by("(a)", unindexed=NOTE),
            "that is partial": indexed_by("(a, b) WHERE n > 0", unindexed=NOTE),
            "on expressions": indexed_by("((a + 0), b)", unindexed=NOTE),
            "that can't find equals": indexed_by("USING brin (a, b)", unindexed=NOTE),
        }.items()
    ),
    Case(
        title="types that differ",
        given="""
            CREATE TABLE parent (a bigint, b varchar(10), c date, PRIMARY KEY (a, b, c));
            CREATE TABLE child (a int, b varchar(20), c date, UNIQUE (a, b, c),
                                FOREIGN KEY (a, b, c) REFERENCES parent)
        """,
        expected={
            "public.child(a, b, c) -> public.parent(a, b, c)": passes(
                types_differ=Found(
                    2, severity=Severity.INFO, details={"a": {"child": "integer", "parent": "bigint"}}
                )
            )
        },
    ),
)

SCHEMAS = """
    CREATE SCHEMA curated; CREATE SCHEMA legacy; CREATE SCHEMA monitoring;
    CREATE TABLE curated.players (id int PRIMARY KEY); INSERT INTO curated.players VALUES (1), (2);
    CREATE TABLE legacy.players (id int PRIMARY KEY);
    CREATE TABLE monitoring.reports (player_id int UNIQUE REFERENCES legacy.players);
"""
TO_LEGACY = "monitoring.reports(player_id) -> legacy.players(id)"
INSTEAD = Found(1, severity=Severity.WARNING, details={"instead": "curated.players"})

WRONG_PARENTS = (
    Case(
        title="a key into another schema, to the empty twin of the right table",
        given=SCHEMAS,
        expected={TO_LEGACY: fails(wrong_parent=INSTEAD)},
    ),
    Case(
        title="the parent's statistics are stale: its rows count, not the estimate",
        given=SCHEMAS + "ANALYZE; INSERT INTO legacy.players VALUES (7)",
        expected={TO_LEGACY: passes()},
    ),
    Case(
        title="the twin is empty as well",
        given=SCHEMAS + "ANALYZE; DELETE FROM curated.players",
        expected={TO_LEGACY: passes()},
    ),
    Case(
        title="an empty parent with no twin",
        given=SCHEMAS + "DROP TABLE curated.players",
        expected={TO_LEGACY: passes()},
    ),
    Case(
        title="tables of the same name with another key are no twins",
        given=SCHEMAS
        + """
            DROP TABLE curated.players; CREATE TABLE curated.players (id uuid PRIMARY KEY);
            CREATE TABLE public.players (id int, name text PRIMARY KEY);
            INSERT INTO curated.players VALUES (gen_random_uuid()); INSERT INTO public.players VALUES (1, 'x')
        """,
        expected={TO_LEGACY: passes()},
    ),
    Case(
        title="data moves through zones: a stage may be empty",
        given=SCHEMAS,
        scope=Scope(zones=("legacy", "curated")),
        expected={TO_LEGACY: passes()},
    ),
    Case(
        title="a schema for every tenant: the new one is empty",
        given="""
            CREATE SCHEMA a; CREATE SCHEMA b;
            CREATE TABLE a.users (id int PRIMARY KEY); CREATE TABLE b.users (id int PRIMARY KEY);
            CREATE TABLE a.orders (buyer int UNIQUE REFERENCES a.users);
            CREATE TABLE b.orders (buyer int UNIQUE REFERENCES b.users);
            INSERT INTO a.users VALUES (1); INSERT INTO a.orders VALUES (1);
            INSERT INTO b.orders VALUES (NULL)
        """,
        expected={"a.orders(buyer) -> a.users(id)": passes(), "b.orders(buyer) -> b.users(id)": passes()},
    ),
    Case(
        title="the child's references are in a table of another name",
        given="""
            CREATE TABLE enhanced_games (id int PRIMARY KEY);
            CREATE TABLE games_complete (id int PRIMARY KEY);
            CREATE TABLE sessions (game_id int UNIQUE);
            INSERT INTO games_complete VALUES (1), (2); INSERT INTO sessions VALUES (1), (NULL);
            SET session_replication_role = replica;
            ALTER TABLE sessions ADD FOREIGN KEY (game_id) REFERENCES enhanced_games NOT VALID
        """,
        expected={
            "public.sessions(game_id) -> public.enhanced_games(id)": fails(
                not_valid=BROKEN, wrong_parent=Found(1, details={"instead": "public.games_complete"})
            )
        },
    ),
    Case(
        title="the child's references are nowhere",
        given="""
            CREATE TABLE enhanced_games (id int PRIMARY KEY);
            CREATE TABLE games_complete (id int PRIMARY KEY);
            CREATE TABLE sessions (game_id int UNIQUE REFERENCES enhanced_games);
            INSERT INTO games_complete VALUES (1), (2);
            SET session_replication_role = replica; INSERT INTO sessions VALUES (3)
        """,
        expected={"public.sessions(game_id) -> public.enhanced_games(id)": passes()},
    ),
    Case(
        title="a parent in a deprecated schema, whether or not it has rows",
        given=SCHEMAS
        + """
            INSERT INTO legacy.players VALUES (1);
            CREATE TABLE legacy.scores (player_id int UNIQUE REFERENCES legacy.players)
        """,
        scope=Scope(deprecated=("legacy",)),
        expected={
            TO_LEGACY: fails(wrong_parent=DOUBTFUL),
            "legacy.scores(player_id) -> legacy.players(id)": passes(),
        },
    ),
    Case(
        title="a parent that may not be read is not taken for empty",
        given=SCHEMAS
        + "GRANT USAGE ON SCHEMA curated, legacy, monitoring TO foreign_keys_stranger;"
        + "GRANT SELECT ON curated.players, monitoring.reports TO foreign_keys_stranger",
        role="foreign_keys_stranger",
        expected={TO_LEGACY: unknown("permission denied for table players")},
    ),
    Case(
        title="a parent whose rows a policy hides is not taken for empty",
        given=SCHEMAS
        + """
            GRANT USAGE ON SCHEMA curated, legacy, monitoring TO foreign_keys_policy;
            GRANT SELECT ON ALL TABLES IN SCHEMA curated, legacy, monitoring TO foreign_keys_policy;
            ALTER TABLE legacy.players ENABLE ROW LEVEL SECURITY
        """,
        role="foreign_keys_policy",
        expected={TO_LEGACY: unknown("row-level security policy")},
    ),
    Case(
        title="a twin that may not be read is no evidence, and fails no run",
        given=SCHEMAS
        + "GRANT USAGE ON SCHEMA legacy, monitoring TO foreign_keys_half;"
        + "GRANT SELECT ON legacy.players, monitoring.reports TO foreign_keys_half",
        role="foreign_keys_half",
        expected={TO_LEGACY: passes()},
    ),
    Case(
        title="a twin whose rows a policy hides is no evidence, and fails no run",
        given=SCHEMAS
        + """
            GRANT USAGE ON SCHEMA curated, legacy, monitoring TO foreign_keys_hidden;
            GRANT SELECT ON ALL TABLES IN SCHEMA curated, legacy, monitoring TO foreign_keys_hidden;
            ALTER TABLE curated.players ENABLE ROW LEVEL SECURITY
        """,
        role="foreign_keys_hidden",
        expected={TO_LEGACY: passes()},
    ),
)

EXPECTED_KEYS = (
    Case(
        title="an expected key is missing; another is there, in another order of columns",
        given="""
            CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
            CREATE TABLE child (a int, b int, UNIQUE (a, b), FOREIGN KEY (a, b) REFERENCES parent);
            CREATE TABLE lonely (x int, y int)
        """,
        settings={
            "expected": [
                "public.child(b, a) -> public.parent(b, a)",
                "public.lonely(x, y) -> public.parent(a, b)",
            ]
        },
        expected={
            "public.child(a, b) -> public.parent(a, b)": passes(),
            "public.lonely(x, y) -> public.parent(a, b)": fails(missing=DOUBTFUL),
        },
    ),
    Case(
        title="an expected key of a partition is declared by its root",
        given=PARTITIONED,
        settings={"expected": ["public.child_rest_all(parent_id) -> public.parent(id)"]},
        expected={RELATION: passes()},
    ),
    Case(
        title="expected keys that can't be",
        given="CREATE TABLE parent (id int PRIMARY KEY); CREATE VIEW child AS SELECT 1 AS parent_id",
        settings={"expected": [RELATION, "public.nothing(id) -> public.parent(id)"]},
        expected={},
        problems={
            RELATION: "public.child is a view",
            "public.nothing(id) -> public.parent(id)": "there is no table public.nothing",
        },
    ),
)

CASES = (*PROTECTION, *PARTITIONS, *NOTES, *WRONG_PARENTS, *EXPECTED_KEYS)
