-- Makes one column of one side of the pair what the other side says, for some games.
UPDATE {table} AS t SET {column} = o.{other_column}
FROM {other} AS o
WHERE o.igdb_id = t.igdb_id AND t.igdb_id = ANY (%(games)s) AND t.{column} IS DISTINCT FROM o.{other_column}
