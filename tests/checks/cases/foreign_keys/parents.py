"""Keys that point at the wrong table."""

from __future__ import annotations

from pgvigil.catalog import Scope
from pgvigil.check import Severity
from tests.checks.case import Case, Found, fails, passes, unknown
from tests.checks.cases.foreign_keys.common import BROKEN, DOUBTFUL

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
        title="no sample is asked for",
        given=SCHEMAS,
        sample=0,
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
