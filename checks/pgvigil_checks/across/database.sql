-- Returns: what of a database decides how texts are written and ordered, and since when its server runs.
-- Cost: a look at one row. Locks: none beyond AccessShareLock on the system catalogs.
SELECT current_setting('server_encoding') AS encoding, pg_postmaster_start_time()::text AS started,
       to_jsonb(d) ->> 'datlocprovider' AS provider, d.datcollate::text AS collation,
       to_jsonb(d) ->> 'datlocale' AS locale
FROM pg_database AS d
WHERE d.datname = current_database()
