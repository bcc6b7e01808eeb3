-- Returns: the names of those tables of which a key or a NOT NULL constraint of the catalog is not in force any more,
--          as of the snapshot: its rows may have broken it since.
-- Cost: a look-up for each of them. Locks: none beyond AccessShareLock on the system catalogs.
SELECT believed.name
FROM unnest({key_tables}::text[], {keys}::oid[]) AS believed (name, oid)
LEFT JOIN pg_index AS x ON x.indexrelid = believed.oid
WHERE (x.indisunique AND x.indisvalid AND x.indisready AND x.indislive) IS NOT TRUE
UNION
SELECT believed.name
FROM unnest({column_tables}::text[], {oids}::oid[], {numbers}::int2[]) AS believed (name, oid, number)
LEFT JOIN pg_attribute AS a ON a.attrelid = believed.oid AND a.attnum = believed.number
WHERE a.attnotnull IS NOT TRUE
   OR EXISTS (
       SELECT FROM pg_constraint AS n
       WHERE n.conrelid = believed.oid AND n.contype = 'n' AND NOT n.convalidated AND n.conkey = ARRAY[believed.number]
   )
