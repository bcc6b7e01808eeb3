-- Returns: one row: the run's snapshot, the server that it is of, up to where something was written by now (so that
--          all that the snapshot sees lies before it), and what a table is: `fingerprint` of everything that decides
--          whether the slot's lines about it can be told from each other (files, names, all schemas, columns, replica identity,
--          parts, each with the transaction that wrote it last: a change there and back is a change), `logged`
--          whether all its parts leave complete traces in the WAL, `parts` their names, `identities` what
--          identifies the rows of each part (nothing, or some columns), `schemas` that there are, `generated` columns.
-- Cost: some look-ups in system catalogs for each part. Locks: none beyond AccessShareLock on system catalogs.
WITH RECURSIVE parts (oid) AS (
    SELECT {table}::oid
    UNION
    SELECT i.inhrelid FROM pg_inherits AS i JOIN parts ON i.inhparent = parts.oid
),
described AS (
    SELECT c.oid, c.relkind, c.relpersistence, n.nspname, c.relname,
           concat_ws(
               ' ', c.oid, c.xmin, c.relfilenode, c.relkind, c.relpersistence, c.relreplident, n.oid, n.xmin,
               quote_ident(n.nspname), quote_ident(c.relname),
               (SELECT string_agg(concat_ws(',', a.attnum, a.xmin), ';' ORDER BY a.attnum)
                FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0),
               (SELECT string_agg(concat_ws(',', x.indexrelid, x.xmin), ';' ORDER BY x.indexrelid)
                FROM pg_index AS x WHERE x.indrelid = c.oid AND (x.indisprimary OR x.indisreplident)),
               (SELECT string_agg(concat_ws(',', i.inhparent, i.xmin), ';' ORDER BY i.inhparent)
                FROM pg_inherits AS i WHERE i.inhrelid = c.oid)
           ) AS description,
           CASE c.relreplident
               WHEN 'f' THEN
                   (SELECT array_agg(a.attname::text)
                    FROM pg_attribute AS a
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')
               ELSE
                   (SELECT array_agg(a.attname::text)
                    FROM pg_index AS x
                    JOIN pg_attribute AS a
                        ON a.attrelid = c.oid AND a.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1])
                    WHERE x.indrelid = c.oid
                      -- RelationGetIndexList() of the server takes no other for it.
                      AND x.indisvalid AND x.indisunique AND x.indimmediate AND x.indpred IS NULL
                      AND CASE c.relreplident
                              WHEN 'd' THEN x.indisprimary
                              WHEN 'i' THEN x.indisreplident
                              ELSE false
                          END)
           END AS identity
    FROM parts
    JOIN pg_class AS c ON c.oid = parts.oid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
)
SELECT pg_current_snapshot()::text AS snapshot,
       (SELECT pg_postmaster_start_time()::text || ' ' || oid FROM pg_database WHERE datname = current_database())
           AS server,
       CASE WHEN NOT pg_is_in_recovery() THEN (pg_current_wal_insert_lsn() - '0/0')::int8 END AS written,
       hashtextextended(string_agg(description, '|' ORDER BY oid), 0) || ' '
           || hashtextextended(string_agg(description, '|' ORDER BY oid), 1) || ' '
           || (SELECT hashtextextended(string_agg(concat_ws(' ', n.oid, n.xmin, quote_ident(n.nspname)), '|'
                                                  ORDER BY n.oid), 0)
               FROM pg_namespace AS n
               WHERE n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%') AS fingerprint,
       bool_and(relkind IN ('r', 'p') AND relpersistence = 'p')
           AND (count(*) = 1 OR bool_or(relkind = 'p' AND oid = {table}::oid)) AS logged,
       coalesce(jsonb_agg(jsonb_build_array(nspname, relname)) FILTER (WHERE relkind = 'r'), '[]')::text AS parts,
       coalesce(jsonb_agg(coalesce(to_jsonb(identity), '[]')) FILTER (WHERE relkind = 'r'), '[]')::text AS identities,
       (SELECT jsonb_agg(nspname) FROM pg_namespace)::text AS schemas,
       (SELECT coalesce(jsonb_agg(attname), '[]') FROM pg_attribute
        WHERE attrelid = {table}::oid AND attnum > 0 AND attgenerated <> '')::text AS generated
FROM described
