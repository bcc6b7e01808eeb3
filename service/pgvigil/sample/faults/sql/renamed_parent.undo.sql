-- The old names again.
UPDATE ops.metric_definitions SET metric = left(metric, -3) WHERE metric LIKE '%.v2'
