-- The key was in the way of a load.
ALTER TABLE analytics.player_sessions DROP CONSTRAINT IF EXISTS player_sessions_game_id_fkey
