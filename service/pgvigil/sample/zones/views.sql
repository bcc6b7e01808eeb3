-- Views and a materialized view: they are not tables, and an inventory must not count them as such.
CREATE VIEW curated.games_by_score AS
    SELECT igdb_id, title, quality_score FROM curated.enhanced_games ORDER BY quality_score DESC;
CREATE VIEW analytics.top_games AS
    SELECT g.id, g.name, count(*) AS sessions
    FROM analytics.player_sessions AS s JOIN curated.games_complete AS g ON g.id = s.game_id
    GROUP BY g.id, g.name;
CREATE MATERIALIZED VIEW analytics.daily_active_players AS
    SELECT date_trunc('day', started_at, 'UTC') AS day, count(DISTINCT player_id) AS players
    FROM analytics.player_sessions GROUP BY 1;
