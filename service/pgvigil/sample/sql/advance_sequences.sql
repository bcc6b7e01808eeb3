-- Puts every sequence of the sample behind the highest value of its column, as if the rows had drawn from it.
-- Cost: one look at the end of an index for each. Lock: ROW EXCLUSIVE on the sequences.
DO $$
DECLARE
    owned record;
BEGIN
    FOR owned IN
        SELECT d.objid::regclass AS sequence, d.refobjid::regclass AS table_name, a.attname
        FROM pg_catalog.pg_depend AS d
            JOIN pg_catalog.pg_class AS c ON c.oid = d.objid AND c.relkind = 'S'
            JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
    LOOP
        EXECUTE format(
            'SELECT setval(%L, max(%I)) FROM %s', owned.sequence, owned.attname, owned.table_name
        );
    END LOOP;
END
$$
