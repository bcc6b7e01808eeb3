-- Returns: one row: how many keys the parent has, the least and the greatest (NULL when there is none).
-- Cost: the key's index, or the parent where most of its pages are not all-visible.
-- Locks: AccessShareLock on the parent, as every SELECT.
SELECT (SELECT count(p.{key}) FROM {parent} AS p) AS keys,
       (SELECT min(p.{key}) FROM {parent} AS p) AS least,
       (SELECT max(p.{key}) FROM {parent} AS p) AS greatest
