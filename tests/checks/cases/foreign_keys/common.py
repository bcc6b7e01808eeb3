"""What the cases of `foreign_keys` are made of."""

from __future__ import annotations

import pytest

from pgvigil.check import Severity
from tests.checks.case import Found

TABLES = """
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (n int PRIMARY KEY, parent_id int);
    CREATE INDEX ON child (parent_id);
"""

KEY = TABLES + "ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent;"

RELATION = "public.child(parent_id) -> public.parent(id)"

BROKEN = Found(1, severity=Severity.CRITICAL)

DOUBTFUL = Found(1, severity=Severity.WARNING)

NOTE = Found(1, severity=Severity.INFO)

SINCE_18 = (pytest.mark.pg(">= 18"),)

PARTITIONED = """
    CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE parent_low PARTITION OF parent FOR VALUES FROM (0) TO (10);
    CREATE TABLE parent_rest PARTITION OF parent DEFAULT;
    CREATE TABLE child (n int, parent_id int) PARTITION BY LIST (n);
    CREATE TABLE child_1 PARTITION OF child FOR VALUES IN (1);
    CREATE TABLE child_rest PARTITION OF child DEFAULT PARTITION BY LIST (n);
    CREATE TABLE child_rest_all PARTITION OF child_rest DEFAULT;
    ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent;
    CREATE INDEX ON child (parent_id);
"""
