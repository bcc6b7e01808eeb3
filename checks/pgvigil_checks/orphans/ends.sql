-- Returns: one row: the least and the greatest key of the parent, NULL when there is none.
-- Cost: two look-ups, if there is an index on the key; a scan, if there is none.
-- Locks: AccessShareLock on the parent, as every SELECT.
SELECT (SELECT min(p.{key}) FROM {parent} AS p) AS least, (SELECT max(p.{key}) FROM {parent} AS p) AS greatest
