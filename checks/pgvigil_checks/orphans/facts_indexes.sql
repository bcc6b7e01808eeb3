-- Returns: a row for each index in force on child or parent: of which, whether each value is in it once, how many
--          columns it is ordered by, and their names; NULL for an expression, or a column in another order than that
--          of an ordinary ORDER BY: the default operator class, the column's collation, NULLs at the greater end.
-- Cost: look-ups in system catalogs for each index.
-- Locks: none beyond AccessShareLock on the system catalogs.
SELECT x.indrelid = {child}::oid AS is_child,
       x.indrelid = {parent}::oid AS is_parent,
       x.indisunique AS unique,
       x.indnkeyatts::int AS width,
       ARRAY(
           SELECT CASE WHEN o.opcdefault AND k.coll = a.attcollation AND k.option IN (0, 3) THEN a.attname::text END
           FROM unnest(x.indkey::int2[], x.indclass::oid[], x.indcollation::oid[], x.indoption::int2[])
                WITH ORDINALITY AS k (number, class, coll, option, place)
           LEFT JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.number AND k.number > 0
           LEFT JOIN pg_opclass AS o ON o.oid = k.class
           WHERE k.place <= x.indnkeyatts
           ORDER BY k.place
       ) AS columns
FROM pg_index AS x
JOIN pg_class AS ic ON ic.oid = x.indexrelid
JOIN pg_am AS am ON am.oid = ic.relam
WHERE x.indrelid IN ({child}::oid, {parent}::oid)
  AND am.amname = 'btree'
  AND x.indisvalid AND x.indisready AND x.indislive AND NOT x.indcheckxmin
  AND x.indpred IS NULL
