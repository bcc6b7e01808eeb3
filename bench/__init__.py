"""Benchmarks: what a user would do otherwise and what pgvigil does, interleaved, as ratios."""
