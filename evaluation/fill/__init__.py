"""Fills the tables of a schema with rows that its declared keys, and all its other constraints, allow."""

from evaluation.fill.fill import Filled, fill

__all__ = ["Filled", "fill"]
