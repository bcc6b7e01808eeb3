-- Returns: nothing; sets for the queries that follow what a check's own session sets, as far as an expression's meaning
--          or value may depend on it. COMMIT ends it.
-- Cost: none. Locks: none.
BEGIN READ ONLY;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SET LOCAL standard_conforming_strings = on
