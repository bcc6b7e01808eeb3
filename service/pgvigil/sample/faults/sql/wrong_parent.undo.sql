-- Back to the table with the players in it.
ALTER TABLE monitoring.player_reports DROP CONSTRAINT player_reports_player_id_fkey;
ALTER TABLE monitoring.player_reports ADD CONSTRAINT player_reports_player_id_fkey
    FOREIGN KEY (player_id) REFERENCES curated.players (id);
