-- Switched on again.
ALTER TABLE monitoring.slo_breaches ENABLE TRIGGER ALL
