"""The built-in checks, each on real databases."""
