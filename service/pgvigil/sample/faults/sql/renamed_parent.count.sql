-- Samples that still carry the old name.
SELECT count(*) FROM monitoring.metric_samples WHERE service = %(service)s AND metric = %(metric)s
