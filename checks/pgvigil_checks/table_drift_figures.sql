-- Returns: a row for every position of a column in which rows differ, and one for 0, which stands for the rest. A
--          changed row appears under each of its positions but is counted under the first of them alone, so that
--          the sum over all rows is exact; `differing` counts it under each. Of a numeric column also the sum of right
--          less left over how many rows, and the largest distance: rows where one of the two is NULL, NaN or infinite have
--          no difference and are left out. A position comes as text, of a numeric column with the difference behind a colon.
-- Cost: that of table_drift_keys.sql, and an aggregate of it: keys that are alike are one before they are told apart.
-- Locks: AccessShareLock on both tables.
SELECT f.position,
       coalesce(sum(f.keys * f.left_rows) FILTER (WHERE f.first), 0)::bigint AS left_rows,
       coalesce(sum(f.keys * f.right_rows) FILTER (WHERE f.first), 0)::bigint AS right_rows,
       coalesce(sum(f.keys * f.left_rows) FILTER (WHERE f.first AND f.right_rows = 0 AND NOT f.null_key), 0)::bigint
           AS left_only,
       coalesce(sum(f.keys * f.right_rows) FILTER (WHERE f.first AND f.left_rows = 0 AND NOT f.null_key), 0)::bigint
           AS right_only,
       coalesce(sum(f.keys) FILTER (WHERE f.first AND f.left_rows > 1 AND NOT f.null_key), 0)::bigint
           AS left_duplicates,
       coalesce(sum(f.keys) FILTER (WHERE f.first AND f.right_rows > 1 AND NOT f.null_key), 0)::bigint
           AS right_duplicates,
       coalesce(sum(f.keys * f.left_rows) FILTER (WHERE f.first AND f.null_key), 0)::bigint AS left_null_keys,
       coalesce(sum(f.keys * f.right_rows) FILTER (WHERE f.first AND f.null_key), 0)::bigint AS right_null_keys,
       coalesce(sum(f.keys) FILTER (WHERE f.first AND f.position > 0), 0)::bigint AS changed,
       coalesce(sum(f.keys) FILTER (WHERE f.position > 0), 0)::bigint AS differing,
       coalesce(sum(f.keys) FILTER (WHERE f.first AND f.position > 0 AND f.newer = 'left'), 0)::bigint AS left_newer,
       coalesce(sum(f.keys) FILTER (WHERE f.first AND f.position > 0 AND f.newer = 'right'), 0)::bigint AS right_newer,
       coalesce(sum(f.keys) FILTER (WHERE f.first AND f.position > 0 AND f.newer = 'neither'), 0)::bigint
           AS neither_newer,
       coalesce(sum(f.keys) FILTER (WHERE f.finite), 0)::bigint AS measured,
       (sum(f.keys * f.difference) FILTER (WHERE f.finite))::text AS total,
       (max(abs(f.difference)) FILTER (WHERE f.finite))::text AS largest
FROM (
    SELECT p.*,
           p.difference > '-Infinity' AND p.difference < 'Infinity' AS finite
    FROM (
        SELECT u.*,
               split_part(u.what, ':', 1)::int AS position,
               nullif(split_part(u.what, ':', 2), '')::numeric AS difference
        FROM (
            SELECT a.*, what, number = 1 AS first
            FROM (
                SELECT k.left_rows, k.right_rows, k.null_key, k.differing, k.newer, count(*) AS keys
                FROM ({keys}) AS k
                GROUP BY k.left_rows, k.right_rows, k.null_key, k.differing, k.newer
            ) AS a,
            unnest(coalesce(a.differing, '{{0}}')) WITH ORDINALITY AS u (what, number)
        ) AS u
    ) AS p
) AS f
GROUP BY f.position
