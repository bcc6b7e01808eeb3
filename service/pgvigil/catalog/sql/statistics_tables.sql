-- Returns: of every table, partitioned, foreign table and materialised view outside the system schemas: what it takes
--          on disk, what was written to it, and whether the session's role may read it; and since when the server
--          counts. A size is that of the last VACUUM, ANALYZE or CREATE INDEX, 0 before the first of them.
-- Cost: one pass over pg_class, pg_index and the cumulative statistics in memory.
-- Locks: none beyond AccessShareLock on the system catalogs. No pg_total_relation_size(): it would wait for whoever
--        holds an exclusive lock on a table.
WITH index_pages AS (
    SELECT x.indrelid, sum(greatest(i.relpages, 0)) AS pages
    FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
    GROUP BY x.indrelid
)
SELECT c.oid::bigint AS oid,
       CASE WHEN c.relkind = 'f' THEN 0 ELSE
           (
               greatest(c.relpages, 0) + coalesce(own.pages, 0) + coalesce(greatest(t.relpages, 0), 0)
               + coalesce(of_toast.pages, 0)
           )::bigint * current_setting('block_size')::bigint
       END AS bytes,
       pg_stat_get_live_tuples(c.oid) AS live_rows,
       pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)
           AS writes,
       extract(epoch FROM greatest(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)))
           ::float8 AS last_analyzed,
       extract(epoch FROM greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)))
           ::float8 AS last_vacuumed,
       -- Null of a table that was dropped meanwhile. A policy makes every query of ours an error.
       coalesce(
           has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
           AND NOT row_security_active(c.oid),
           false
       ) AS readable,
       CASE
           WHEN
               has_schema_privilege(n.oid, 'USAGE') AND NOT has_table_privilege(c.oid, 'SELECT')
               AND has_any_column_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)
               THEN (
                   SELECT array_agg(a.attname::text ORDER BY a.attnum)
                   FROM pg_attribute AS a
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                     AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT')
               )
       END AS columns_unreadable,
       -- A database whose counters nobody has reset has them since the server's were made, or lost in a crash.
       (
           SELECT extract(epoch FROM coalesce(
               pg_stat_get_db_stat_reset_time(d.oid), pg_stat_get_bgwriter_stat_reset_time()
           ))::float8
           FROM pg_database AS d WHERE d.datname = current_database()
       ) AS since
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid
LEFT JOIN index_pages AS own ON own.indrelid = c.oid
LEFT JOIN index_pages AS of_toast ON of_toast.indrelid = c.reltoastrelid
WHERE c.relkind IN ('r', 'p', 'f', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
ORDER BY c.oid
