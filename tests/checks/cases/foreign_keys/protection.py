"""Constraints that protect, and those that do not."""

from __future__ import annotations

from pgvigil.catalog import Scope
from pgvigil.check import Severity
from tests.checks.case import Case, Found, fails, passes
from tests.checks.cases.foreign_keys.common import BROKEN, KEY, RELATION, SINCE_18, TABLES

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
        title="one trigger is gone",
        given=KEY
        + """
            SET allow_system_table_mods = on;
            WITH gone AS (
                DELETE FROM pg_trigger USING pg_proc AS f
                WHERE f.oid = tgfoid AND proname = 'RI_FKey_noaction_del' RETURNING pg_trigger.oid
            )
            DELETE FROM pg_depend WHERE classid = 'pg_trigger'::regclass AND objid IN (SELECT oid FROM gone)
        """,
        expected={
            RELATION: fails(
                triggers_missing=Found(
                    1, severity=Severity.CRITICAL, details={"unseen": ["delete of public.parent"]}
                )
            )
        },
    ),
    Case(
        title="ordinary sessions of the database begin as replicas",
        given=KEY
        + """
            DO $$ BEGIN EXECUTE format(
                'ALTER DATABASE %I SET session_replication_role = replica', current_database()); END $$
        """,
        expected={RELATION: fails(triggers_silenced=BROKEN)},
    ),
    Case(
        title="a table that does not know of its triggers",
        given=KEY + "UPDATE pg_class SET relhastriggers = false WHERE oid = 'parent'::regclass",
        expected={RELATION: fails(triggers_forgotten=BROKEN)},
    ),
    Case(
        title="the index that the key refers to is gone",
        given=KEY + "UPDATE pg_constraint SET conindid = 0 WHERE conname = 'child_parent_id_fkey'",
        expected={RELATION: fails(index_invalid=BROKEN)},
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
