-- Returns: what ANALYZE found out about the columns asked for, as far as the session's role may read them: at the most
--          10 of the most common values and 11 bounds that divide the rest, none longer than 200 characters; and the
--          ends of all that it sampled, numbers by their value and all else by its bytes.
-- Cost: one pass over pg_statistic; the values of the columns asked for are taken apart, each once.
-- Locks: none beyond AccessShareLock on the system catalogs.
WITH asked AS MATERIALIZED (
    SELECT n.nspname, c.relname, a.attname, c.relkind = 'p' AS inherited
    FROM unnest({tables}::oid[], {numbers}::int2[]) AS each ("table", number)
    JOIN pg_attribute AS a ON a.attrelid = each."table" AND a.attnum = each.number AND NOT a.attisdropped
    JOIN pg_class AS c ON c.oid = a.attrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
)
SELECT of_column."table",
       of_column.column_number AS number,
       s.null_frac::float8 AS null_fraction,
       s.n_distinct::float8 AS distinct_values,
       s.avg_width AS width,
       ARRAY(SELECT v FROM unnest(told.common[1:10]) WITH ORDINALITY AS u (v, at) WHERE length(v) <= 200 ORDER BY at)
           AS common,
       ARRAY(
           SELECT f FROM unnest(told.common[1:10], s.most_common_freqs[1:10]::float8[]) WITH ORDINALITY AS u (v, f, at)
           WHERE length(v) <= 200 ORDER BY at
       ) AS shares,
       ARRAY(
           SELECT told.bounds[1 + step * (cardinality(told.bounds) - 1) / steps.count]
           FROM (SELECT least(10, cardinality(told.bounds) - 1) AS count) AS steps
           CROSS JOIN generate_series(0, steps.count) AS step
           WHERE length(told.bounds[1 + step * (cardinality(told.bounds) - 1) / steps.count]) <= 200
           ORDER BY step
       ) AS bounds,
       ends.least,
       ends.greatest
FROM pg_stats AS s
-- Each OFFSET keeps the planner, which takes pg_stats for a handful of rows, from going through it again for each of
-- them, and from taking the same values apart wherever they are spoken of.
CROSS JOIN LATERAL (
    SELECT a.attrelid::bigint AS "table",
           a.attnum::int AS column_number,
           y.typdelim = ',' AS plain,
           y.typcategory = 'N' AS numeric,
           coalesce(nullif(y.typbasetype, 0), y.oid) IN (
               'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'float4'::regtype, 'float8'::regtype
           ) AS number
    FROM pg_namespace AS n
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.tablename
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = s.attname
    JOIN pg_type AS y ON y.oid = a.atttypid
    WHERE n.nspname = s.schemaname
    OFFSET 0
) AS of_column
CROSS JOIN LATERAL (
    -- The values have the column's own type: their texts are taken. A type with a delimiter of its own is left out.
    SELECT CASE WHEN of_column.plain THEN s.most_common_vals::text::text[] END AS common,
           CASE WHEN of_column.plain THEN s.histogram_bounds::text::text[] END AS bounds
    OFFSET 0
) AS told
CROSS JOIN LATERAL (
    SELECT CASE WHEN of_column.number THEN min(CASE WHEN of_column.number THEN v::numeric END)::text
                WHEN NOT of_column.numeric THEN min(v COLLATE "C") END AS least,
           CASE WHEN of_column.number THEN max(CASE WHEN of_column.number THEN v::numeric END)::text
                WHEN NOT of_column.numeric THEN max(v COLLATE "C") END AS greatest
    FROM unnest(told.common || told.bounds[1:1] || told.bounds[cardinality(told.bounds):]) AS u (v)
    WHERE length(v) <= 200
) AS ends
-- A hash of what is asked for, whatever the estimate.
WHERE ((s.schemaname, s.tablename, s.attname, s.inherited) IN (SELECT nspname, relname, attname, inherited FROM asked))
      IS TRUE
