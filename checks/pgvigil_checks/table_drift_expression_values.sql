-- Returns: a row for each expression in a key of one side: the type and collation of what it computes, as the catalog
--          describes a column's. In the WHERE clause the server refuses what is no value of a single row: sets,
--          aggregates, window functions.
-- Cost: none, no row is read. Locks: AccessShareLock on the table.
WITH RECURSIVE computed (position, type_oid, collation_oid) AS (
    SELECT v.position, v.type_oid, v.collation_oid
    FROM (SELECT 1) AS one
    LEFT JOIN (SELECT {columns} FROM {table} AS t WHERE false AND num_nulls({expressions}) = 0) AS s ON true
    CROSS JOIN LATERAL (VALUES {values}) AS v (position, type_oid, collation_oid)
),
under_domains (position, type_oid) AS (
    SELECT position, type_oid FROM computed
    UNION ALL
    SELECT d.position, t.typbasetype
    FROM under_domains AS d
    JOIN pg_type AS t ON t.oid = d.type_oid
    WHERE t.typtype = 'd'
)
SELECT c.position,
       format_type(c.type_oid, NULL) AS type,
       format_type(b.oid, NULL) AS base_type,
       b.typcategory::text AS category,
       n.nspname::text AS collation_schema,
       o.collname::text AS collation_name,
       coalesce(o.collisdeterministic, true) AS deterministic
FROM computed AS c
JOIN under_domains AS d ON d.position = c.position
JOIN pg_type AS b ON b.oid = d.type_oid AND b.typtype <> 'd'
LEFT JOIN pg_collation AS o ON o.oid = c.collation_oid
LEFT JOIN pg_namespace AS n ON n.oid = o.collnamespace
