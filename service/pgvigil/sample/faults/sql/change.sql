-- Changes one column of one side of the pair for some games.
UPDATE {table} SET {column} = {expression} WHERE igdb_id = ANY (%(games)s)
