"""Patterns have two wildcards, and every other character of a name stands for itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvigil.patterns import matches


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("monitoring.alerts", "monitoring.*", True),
        ("monitoring.alerts", "monitoring?alerts", True),
        ("monitoring.alerts", "*.al*s", True),
        ("monitoring", "monitoring.*", False),
        ("monitoring", "Monitoring", False),
        ("a\nb", "a*", True),
        ('public."a[1]"', 'public."a[1]"', True),
        ('public."a[1]"', '*"a[1]"*', True),
        ("public.a1", "public.a[1]", False),
        ("x.a+b", "x.a+b", True),
        ("", "*", True),
        ("", "?", False),
    ],
)
def test_what_fits(name: str, pattern: str, fits: bool) -> None:
    assert matches(name, pattern) == fits


@given(st.text())
def test_every_name_fits_itself(name: str) -> None:
    assert matches(name, name)
    assert matches(name, "*")
