-- A migration found the wrong table of that name, the empty one of the old platform.
ALTER TABLE monitoring.player_reports DROP CONSTRAINT player_reports_player_id_fkey;
ALTER TABLE monitoring.player_reports ADD CONSTRAINT player_reports_player_id_fkey
    FOREIGN KEY (player_id) REFERENCES legacy.players (id);
