"""One file a migration, numbered in the order in which they run."""
