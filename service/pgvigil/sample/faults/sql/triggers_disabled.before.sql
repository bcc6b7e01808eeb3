-- A restore switched the triggers off for speed.
ALTER TABLE monitoring.slo_breaches DISABLE TRIGGER ALL
