"""Everything that a user may rely on, proved on real servers."""
