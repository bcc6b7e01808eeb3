"""Tests of the changes that a logical slot tells of."""
