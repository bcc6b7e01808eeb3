"""The least-privilege role: what it may do, and what it may not."""
