-- Returns: for every numeric column in which rows differ, by position: the mean of right less left, and the largest
--          distance. Rows where one of the two is NULL, NaN or infinite have no difference and are left out.
-- Cost: that of table_drift_keys.sql; asked only when a numeric column differs.
-- Locks: AccessShareLock on both tables.
SELECT d.position, avg(d.difference)::text AS mean, max(abs(d.difference))::text AS largest
FROM (
    SELECT p.position, p.differences[p.position] AS difference
    FROM (SELECT unnest(k.differing) AS position, k.differences FROM ({keys}) AS k) AS p
) AS d
WHERE d.difference > '-Infinity' AND d.difference < 'Infinity'
GROUP BY d.position
