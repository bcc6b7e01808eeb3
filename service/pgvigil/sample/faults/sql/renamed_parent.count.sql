-- Samples that still carry the old names.
SELECT count(*) FROM monitoring.metric_samples
WHERE (service, metric) IN (SELECT * FROM unnest(%(services)s::text[], %(metrics)s::text[]))
