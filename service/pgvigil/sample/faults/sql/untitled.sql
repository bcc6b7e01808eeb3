-- Those of some games that have no subtitle in either table.
SELECT igdb_id FROM curated.games_complete WHERE igdb_id = ANY (%(games)s) AND tagline IS NULL ORDER BY id
