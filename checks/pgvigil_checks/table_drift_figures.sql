-- Returns: a row for every position of a column in which rows differ, and one for 0, which stands for the rest. A
--          changed row appears under each of its positions but is counted under the first of them alone, so that
--          the sum over all rows is exact; `differing` counts it under each.
-- Cost: that of table_drift_keys.sql, and an aggregate with a group for every column.
-- Locks: AccessShareLock on both tables.
SELECT f.position,
       coalesce(sum(f.left_rows) FILTER (WHERE f.first), 0)::bigint AS left_rows,
       coalesce(sum(f.right_rows) FILTER (WHERE f.first), 0)::bigint AS right_rows,
       coalesce(sum(f.left_rows) FILTER (WHERE f.first AND f.right_rows = 0 AND NOT f.null_key), 0)::bigint AS left_only,
       coalesce(sum(f.right_rows) FILTER (WHERE f.first AND f.left_rows = 0 AND NOT f.null_key), 0)::bigint AS right_only,
       count(*) FILTER (WHERE f.first AND f.left_rows > 1 AND NOT f.null_key) AS left_duplicates,
       count(*) FILTER (WHERE f.first AND f.right_rows > 1 AND NOT f.null_key) AS right_duplicates,
       coalesce(sum(f.left_rows) FILTER (WHERE f.first AND f.null_key), 0)::bigint AS left_null_keys,
       coalesce(sum(f.right_rows) FILTER (WHERE f.first AND f.null_key), 0)::bigint AS right_null_keys,
       count(*) FILTER (WHERE f.first AND f.position > 0) AS changed,
       count(*) FILTER (WHERE f.position > 0) AS differing,
       count(*) FILTER (WHERE f.first AND f.position > 0 AND f.newer = 'left') AS left_newer,
       count(*) FILTER (WHERE f.first AND f.position > 0 AND f.newer = 'right') AS right_newer,
       count(*) FILTER (WHERE f.first AND f.position > 0 AND f.newer = 'neither') AS neither_newer
FROM (
    SELECT p.*, p.position = p.differing[1] AS first
    FROM (SELECT k.*, unnest(k.differing) AS position FROM ({keys}) AS k) AS p
) AS f
GROUP BY f.position
