-- Returns: one row: how far each of the parent's keys between two numbers lies from the first of these, in four bytes
--          each, one behind the other; NULL where all the numbers are keys, if it is looked for.
-- Cost: so many entries of the key's index; twice as many where the numbers are counted first, and not all are keys.
-- Locks: AccessShareLock on the parent, as every SELECT.
SELECT CASE WHEN {full} THEN NULL
           ELSE (
               SELECT coalesce(string_agg(int4send((p.{key} - {first})::int), ''::bytea), ''::bytea)
               FROM (SELECT {distinct} p.{key} FROM {parent} AS p WHERE p.{key} BETWEEN {first} AND {last}) AS p
           )
       END AS offsets
