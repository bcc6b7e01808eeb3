-- Somebody renames metrics where they are defined, and forgets the samples.
UPDATE ops.metric_definitions SET metric = metric || '.v2'
WHERE (service, metric) IN (SELECT * FROM unnest(%(services)s::text[], %(metrics)s::text[]))
