-- Returns: one row, if no index in force keeps these columns of the child unique, in an ordinary order, and none of them
--          is NULL.
-- Cost: look-ups in system catalogs. Locks: none beyond AccessShareLock on the system catalogs.
SELECT {columns}::text[] AS columns
WHERE NOT EXISTS (
    SELECT
    FROM pg_index AS x
    JOIN pg_class AS ic ON ic.oid = x.indexrelid
    JOIN pg_am AS am ON am.oid = ic.relam,
    LATERAL (
        SELECT array_agg(a.attname::text ORDER BY k.place) AS names,
               bool_and(
                   a.attnotnull AND o.opcdefault AND k.coll = a.attcollation
                   -- From version 18 on the constraint may be NOT VALID, and older rows NULL.
                   AND NOT EXISTS (
                       SELECT FROM pg_constraint AS n
                       WHERE n.conrelid = a.attrelid AND n.contype = 'n' AND NOT n.convalidated
                         AND a.attnum = ANY (n.conkey)
                   )
               ) AS is_ordinary,
               count(DISTINCT k.option) AS directions
        FROM unnest(x.indkey::int2[], x.indclass::oid[], x.indcollation::oid[], x.indoption::int2[])
             WITH ORDINALITY AS k (number, class, coll, option, place)
        LEFT JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.number AND k.number > 0
        LEFT JOIN pg_opclass AS o ON o.oid = k.class
        WHERE k.place <= x.indnkeyatts
    ) AS led
    WHERE x.indrelid = {child}::oid
      AND am.amname = 'btree'
      AND x.indisunique AND x.indisvalid AND x.indisready AND x.indislive
      AND x.indpred IS NULL
      AND led.names = {columns}::text[]
      AND led.is_ordinary
      AND led.directions = 1
)
