-- Somebody renames a metric where it is defined, and forgets the samples.
UPDATE ops.metric_definitions SET metric = metric || '.v2' WHERE service = %(service)s AND metric = %(metric)s
