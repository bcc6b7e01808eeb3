"""An entity pair whose two tables live in two databases, compared by checksums of ranges of its keys."""

from pgvigil_checks.across.comparison import examine

__all__ = ["examine"]
