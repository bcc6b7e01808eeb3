-- The games that a drift fault may touch: every fault of the pair has a slot of 40 of its own.
SELECT igdb_id FROM curated.games_complete WHERE id <= 640 AND id %% 16 = %(slot)s ORDER BY id
