-- Returns: of every index of a user's table how often it was scanned, its size as of the last VACUUM, ANALYZE or CREATE
--          INDEX, the index that it is a partition of, and its make: two indexes of one table whose parts and whose
--          conditions are the same text do the same work.
-- Cost: one pass over pg_index and the cumulative statistics in memory.
-- Locks: none beyond AccessShareLock on the system catalogs (no pg_get_indexdef or pg_get_expr, which lock).
SELECT x.indexrelid::bigint AS oid,
       up.inhparent::bigint AS part_of,
       pg_stat_get_numscans(x.indexrelid) AS scans,
       greatest(i.relpages, 0)::bigint * current_setting('block_size')::bigint AS bytes,
       (
           SELECT array_agg(
               concat_ws(' ', x.indkey[at], x.indclass[at], x.indcollation[at], x.indoption[at])
               ORDER BY at
           )
           FROM generate_series(0, x.indnkeyatts - 1) AS at
       ) AS parts,
       -- Where in its statement an expression stood is no part of it.
       concat_ws(
           ' ',
           i.relam,
           'if ' || regexp_replace(x.indpred::text, ' :(stmt_)?location -?[0-9]+', '', 'g'),
           'of ' || regexp_replace(x.indexprs::text, ' :(stmt_)?location -?[0-9]+', '', 'g'),
           CASE WHEN x.indnatts > x.indnkeyatts THEN 'with ' || (x.indkey::int2[])[x.indnkeyatts:x.indnatts - 1]::text END
       ) AS condition,
       -- What another object stands on, or replication: nobody may drop it, used or not.
       x.indisreplident OR EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = x.indexrelid) AS needed
FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_class AS c ON c.oid = x.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits AS up ON up.inhrelid = x.indexrelid
WHERE c.relkind IN ('r', 'p', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
ORDER BY x.indexrelid
