-- The rows are gone, so it holds.
ALTER TABLE analytics.player_sessions VALIDATE CONSTRAINT player_sessions_game_id_fkey
