-- Returns: the rows that only one side has and those that differ, in the order of the key: the key, what is the matter,
--          how many rows are alike in that (more than one where a side that is alone holds the key more than once), and
--          for a changed row the first ten columns that differ with the values of both sides, shortened.
-- Cost: that of table_drift_keys.sql, and a sort of the rows at fault.
-- Locks: AccessShareLock on both tables.
SELECT {key},
       CASE WHEN k.right_rows = 0 THEN 'left_only' WHEN k.left_rows = 0 THEN 'right_only' ELSE 'changed' END AS {drift},
       GREATEST(k.left_rows, k.right_rows) AS {copies},
       ARRAY(SELECT k.names[position] FROM pg_catalog.unnest(k.differing[1 : 10]) AS position) AS {columns},
       ARRAY(SELECT k.left_values[position] FROM pg_catalog.unnest(k.differing[1 : 10]) AS position) AS {left_values},
       ARRAY(SELECT k.right_values[position] FROM pg_catalog.unnest(k.differing[1 : 10]) AS position) AS {right_values}
FROM ({keys}) AS k
WHERE NOT k.null_key
ORDER BY {order}
