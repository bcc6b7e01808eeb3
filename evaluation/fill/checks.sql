-- Returns: the check constraints of tables and of their columns' domains, as text, with their columns.
-- Cost: one pass over pg_constraint. Locks: none.
SELECT con.conrelid::bigint AS "table",
       a.attname AS name,
       pg_get_constraintdef(con.oid) AS definition
  FROM pg_constraint AS con
  JOIN pg_attribute AS a ON a.attrelid = con.conrelid AND a.attnum = ANY (con.conkey)
 WHERE con.contype = 'c'
   AND cardinality(con.conkey) = 1
UNION ALL
SELECT a.attrelid::bigint, a.attname, pg_get_constraintdef(con.oid)
  FROM pg_constraint AS con
  JOIN pg_attribute AS a ON a.atttypid = con.contypid AND NOT a.attisdropped
 WHERE con.contype = 'c'
   AND con.contypid <> 0
