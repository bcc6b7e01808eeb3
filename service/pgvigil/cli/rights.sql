-- Returns: a row for each of the tables by these names that there is, in their order: the role that asks (`account`;
--          `role` is quoted for SQL), and what it may do: find the table (`usage` of its schema), read all of its columns
--          (`whole`) or any (`part`), see all of its rows (not `guarded`).
-- Cost: a look-up for each. Locks: none.
SELECT n.nspname::text AS schema,
       c.relname::text AS name,
       current_user::text AS account,
       quote_ident(current_user) AS role,
       has_schema_privilege(n.oid, 'USAGE') AS usage,
       has_table_privilege(c.oid, 'SELECT') AS whole,
       has_any_column_privilege(c.oid, 'SELECT') AS part,
       row_security_active(c.oid) AS guarded
FROM unnest({schemas}::text[], {names}::text[]) WITH ORDINALITY AS named (schema, name, position)
JOIN pg_namespace AS n ON n.nspname = named.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = named.name
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
ORDER BY named.position
