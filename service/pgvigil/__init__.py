"""pgvigil: the continuous integrity monitor for PostgreSQL that on-call people trust."""

__version__ = "0.1.0"
