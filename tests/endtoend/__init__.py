"""A fault is committed in PostgreSQL, and somebody is paged: all programs are the real ones."""
