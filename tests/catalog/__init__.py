"""The catalog, read from real servers."""
