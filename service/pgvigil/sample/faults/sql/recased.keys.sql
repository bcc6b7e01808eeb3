-- Touches of a campaign, the first ones by key.
SELECT id FROM analytics.campaign_touches WHERE campaign IS NOT NULL ORDER BY id LIMIT 400
