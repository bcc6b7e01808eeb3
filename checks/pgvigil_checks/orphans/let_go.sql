-- Returns: nothing; a person runs it. Copies the child rows at fault, then changes or deletes them: both or neither, as
--          also where that copy is there already. Indented, as what is to be pasted is in a remedy.
-- Cost: two anti-joins of child and parent. Locks: RowExclusiveLock on the child, and the rows that are changed.
    BEGIN ISOLATION LEVEL REPEATABLE READ;
    SET LOCAL lock_timeout = '2s';
    CREATE SCHEMA IF NOT EXISTS {schema};
    CREATE TABLE {copy} AS SELECT c.* FROM {child} AS c WHERE {fault};
    {change} WHERE {fault};
    COMMIT;
