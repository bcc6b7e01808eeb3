"""What the cases of `orphan_rows` are made of."""

from __future__ import annotations

import pytest

from tests.checks.case import Found

CONTRIB = (pytest.mark.contrib,)

ICU = CONTRIB
"""The extra's servers are built without ICU, those of the system with it."""

UNGUARDED = "SET session_replication_role = replica;"
"""What follows is loaded as a restore loads it: no trigger of a foreign key fires."""

PARENT_AND_CHILD = """
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (n int PRIMARY KEY, parent_id int REFERENCES parent);
    INSERT INTO parent SELECT generate_series(1, 5);
"""

RELATION = "public.child(parent_id) -> public.parent(id)"

CONFIGURED = {"relations": [RELATION]}


def between(parent_type: str, child_type: str, parents: str, children: str, more: str = "") -> str:
    """Return the SQL of a parent and a child that no key protects, with the values of their key columns."""
    return f"""
        {more}
        CREATE TABLE parent (id {parent_type});
        CREATE TABLE child (n int PRIMARY KEY, parent_id {child_type});
        INSERT INTO parent SELECT v::{parent_type} FROM unnest(ARRAY[{parents}]) AS v;
        INSERT INTO child SELECT n, v::{child_type} FROM unnest(ARRAY[{children}]) WITH ORDINALITY u (v, n);
    """


def declared(parent_type: str, child_type: str, parents: str, children: str, more: str = "") -> str:
    """Return the SQL of a parent and a child with a declared key, loaded unguarded."""
    return f"""
        {more}
        CREATE TABLE parent (id {parent_type} PRIMARY KEY);
        CREATE TABLE child (n int PRIMARY KEY, parent_id {child_type} REFERENCES parent);
        {UNGUARDED}
        INSERT INTO parent SELECT v::{parent_type} FROM unnest(ARRAY[{parents}]) AS v;
        INSERT INTO child SELECT n, v::{child_type} FROM unnest(ARRAY[{children}]) WITH ORDINALITY u (v, n);
    """


def orphans(*samples: dict[str, object]) -> Found:
    """Expect as many orphans as there are samples, in this order."""
    return Found(len(samples), samples)
