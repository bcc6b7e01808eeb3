"""The schemas of the sample: for each, its tables in a `.sql` file and their rows in a module beside it."""

from __future__ import annotations

from pgvigil.sample.zones import (
    analytics,
    billing,
    community,
    curated,
    legacy,
    ml,
    monitoring,
    ops,
    raw,
    reference,
    staging,
)

# In the order of creation: a schema uses the types only of the ones before it.
SCHEMAS = (
    "reference",
    "raw",
    "staging",
    "curated",
    "analytics",
    "monitoring",
    "legacy",
    "ops",
    "billing",
    "community",
    "ml",
)

# Tables that are not named here stay empty.
TABLES = (
    *reference.TABLES,
    *raw.TABLES,
    *staging.TABLES,
    *curated.TABLES,
    *analytics.TABLES,
    *monitoring.TABLES,
    *legacy.TABLES,
    *ops.TABLES,
    *billing.TABLES,
    *community.TABLES,
    *ml.TABLES,
)
