-- The first of the samples that still carry the old names.
SELECT id, service, metric FROM monitoring.metric_samples
WHERE (service, metric) IN (SELECT * FROM unnest(%(services)s::text[], %(metrics)s::text[]))
ORDER BY id LIMIT %(limit)s
