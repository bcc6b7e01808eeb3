-- Indexes beyond the keys. Three referencing columns have none: games_complete.publisher_code, players.country
-- and subscriptions.plan.
CREATE INDEX enhanced_games_igdb_id_idx ON curated.enhanced_games (igdb_id);
CREATE INDEX games_complete_studio_id_idx ON curated.games_complete (studio_id);
CREATE INDEX franchises_parent_id_idx ON curated.franchises (parent_id);
CREATE INDEX releases_game_id_idx ON curated.releases (game_id);
CREATE INDEX reviews_game_id_idx ON curated.reviews (game_id);
CREATE INDEX achievements_game_id_idx ON curated.achievements (game_id);
CREATE INDEX localizations_language_idx ON curated.localizations (language);
CREATE INDEX player_sessions_game_id_idx ON analytics.player_sessions (game_id);
CREATE INDEX events_player_id_idx ON analytics.events (player_id);
CREATE INDEX event_annotations_event_idx ON analytics.event_annotations (event_id, event_at);
CREATE INDEX regional_revenue_platform_region_idx ON analytics.regional_revenue (platform, region);
CREATE INDEX wishlists_game_uuid_idx ON analytics.wishlists (game_uuid);
CREATE INDEX campaign_touches_campaign_idx ON analytics.campaign_touches (campaign);
CREATE INDEX search_clicks_game_id_idx ON analytics.search_clicks (game_id);
CREATE INDEX slo_breaches_service_objective_idx ON monitoring.slo_breaches (service, objective);
CREATE INDEX player_reports_player_id_idx ON monitoring.player_reports (player_id);
CREATE INDEX alert_events_alert_id_idx ON monitoring.alert_events (alert_id);
CREATE INDEX metric_samples_service_metric_idx ON monitoring.metric_samples (service, metric);
CREATE INDEX audit_log_actor_id_idx ON ops.audit_log (actor_id);
CREATE INDEX flag_changes_changed_by_idx ON ops.flag_changes (changed_by);
CREATE INDEX invoices_account_no_idx ON billing.invoices (account_no);
CREATE INDEX refunds_line_idx ON billing.refunds (invoice_id, line_no);
CREATE INDEX posts_thread_id_idx ON community.posts (thread_id);
CREATE INDEX posts_reply_to_idx ON community.posts (reply_to);
CREATE INDEX predictions_model_version_idx ON ml.predictions (model, version);
