"""The engine: from a tick to what is committed, on real servers and a real store."""
