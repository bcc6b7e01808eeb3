-- The 28 foreign keys, added after the load so that they are checked by one join each and not row by row.
ALTER TABLE curated.games_complete ADD CONSTRAINT games_complete_studio_id_fkey
    FOREIGN KEY (studio_id) REFERENCES curated.studios (id);
ALTER TABLE curated.games_complete ADD CONSTRAINT games_complete_publisher_code_fkey
    FOREIGN KEY (publisher_code) REFERENCES curated.publishers (code);
ALTER TABLE curated.franchises ADD CONSTRAINT franchises_parent_id_fkey
    FOREIGN KEY (parent_id) REFERENCES curated.franchises (id);
ALTER TABLE curated.releases ADD CONSTRAINT releases_game_id_fkey
    FOREIGN KEY (game_id) REFERENCES curated.games_complete (id);
ALTER TABLE curated.reviews ADD CONSTRAINT reviews_game_id_fkey
    FOREIGN KEY (game_id) REFERENCES curated.enhanced_games (id) ON DELETE CASCADE;
ALTER TABLE curated.achievements ADD CONSTRAINT achievements_game_id_fkey
    FOREIGN KEY (game_id) REFERENCES curated.enhanced_games (id) ON DELETE CASCADE;
ALTER TABLE curated.localizations ADD CONSTRAINT localizations_language_fkey
    FOREIGN KEY (language) REFERENCES reference.languages (tag) ON UPDATE CASCADE;
ALTER TABLE curated.players ADD CONSTRAINT players_country_fkey
    FOREIGN KEY (country) REFERENCES reference.countries (code);
ALTER TABLE analytics.player_sessions ADD CONSTRAINT player_sessions_game_id_fkey
    FOREIGN KEY (game_id) REFERENCES curated.games_complete (id) ON DELETE SET NULL;
ALTER TABLE analytics.events ADD CONSTRAINT events_player_id_fkey
    FOREIGN KEY (player_id) REFERENCES curated.players (id);
ALTER TABLE analytics.event_annotations ADD CONSTRAINT event_annotations_event_fkey
    FOREIGN KEY (event_id, event_at) REFERENCES analytics.events (id, occurred_at);
ALTER TABLE analytics.regional_revenue ADD CONSTRAINT regional_revenue_platform_region_fkey
    FOREIGN KEY (platform, region) REFERENCES reference.platform_regions (platform, region);
ALTER TABLE analytics.cohort_members ADD CONSTRAINT cohort_members_cohort_id_fkey
    FOREIGN KEY (cohort_id) REFERENCES analytics.cohorts (id);
ALTER TABLE analytics.wishlists ADD CONSTRAINT wishlists_game_uuid_fkey
    FOREIGN KEY (game_uuid) REFERENCES curated.enhanced_games (id);
ALTER TABLE monitoring.slo_breaches ADD CONSTRAINT slo_breaches_service_objective_fkey
    FOREIGN KEY (service, objective) REFERENCES monitoring.slos (service, objective) MATCH FULL;
ALTER TABLE monitoring.player_reports ADD CONSTRAINT player_reports_player_id_fkey
    FOREIGN KEY (player_id) REFERENCES curated.players (id);
ALTER TABLE monitoring.alert_events ADD CONSTRAINT alert_events_alert_id_fkey
    FOREIGN KEY (alert_id) REFERENCES monitoring.alerts (id);
ALTER TABLE ops.runbook_links ADD CONSTRAINT runbook_links_service_fkey
    FOREIGN KEY (service) REFERENCES monitoring.services (name) ON UPDATE CASCADE;
ALTER TABLE ops.audit_log ADD CONSTRAINT audit_log_actor_id_fkey
    FOREIGN KEY (actor_id) REFERENCES ops.staff (id);
ALTER TABLE ops.flag_changes ADD CONSTRAINT flag_changes_changed_by_fkey
    FOREIGN KEY (changed_by) REFERENCES ops.staff (id);
ALTER TABLE billing.invoices ADD CONSTRAINT invoices_account_no_fkey
    FOREIGN KEY (account_no) REFERENCES billing.accounts (account_no);
ALTER TABLE billing.invoice_lines ADD CONSTRAINT invoice_lines_invoice_id_fkey
    FOREIGN KEY (invoice_id) REFERENCES billing.invoices (id) ON DELETE CASCADE;
ALTER TABLE billing.refunds ADD CONSTRAINT refunds_line_fkey
    FOREIGN KEY (invoice_id, line_no) REFERENCES billing.invoice_lines (invoice_id, line_no);
ALTER TABLE billing.subscriptions ADD CONSTRAINT subscriptions_plan_fkey
    FOREIGN KEY (plan) REFERENCES billing.plans (code);
ALTER TABLE community."Gilden-Mitglieder" ADD CONSTRAINT "Gilden-Mitglieder_Gilde Nr._fkey"
    FOREIGN KEY ("Gilde Nr.") REFERENCES community."Gilden" ("Nr.");
ALTER TABLE community.posts ADD CONSTRAINT posts_thread_id_fkey
    FOREIGN KEY (thread_id) REFERENCES community.threads (id);
ALTER TABLE community.posts ADD CONSTRAINT posts_reply_to_fkey
    FOREIGN KEY (reply_to) REFERENCES community.posts (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ml.predictions ADD CONSTRAINT predictions_model_version_fkey
    FOREIGN KEY (model, version) REFERENCES ml.model_versions (model, version) ON DELETE CASCADE;
