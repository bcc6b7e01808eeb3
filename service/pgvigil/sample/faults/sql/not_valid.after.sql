-- It came back NOT VALID, because the loaded rows violate it.
ALTER TABLE analytics.player_sessions ADD CONSTRAINT player_sessions_game_id_fkey
    FOREIGN KEY (game_id) REFERENCES curated.games_complete (id) ON DELETE SET NULL NOT VALID
