-- The first of the samples that still carry the old name.
SELECT id, service, metric FROM monitoring.metric_samples WHERE service = %(service)s AND metric = %(metric)s
ORDER BY id LIMIT %(limit)s
