-- Returns: one row: how many connections the server has for roles without privileges, and the role that asks.
-- Cost: nothing. Locks: none.
SELECT current_setting('max_connections')::int8
           - current_setting('superuser_reserved_connections')::int8
           - coalesce(current_setting('reserved_connections', true), '0')::int8 AS room,
       quote_ident(current_user) AS role
