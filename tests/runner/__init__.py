"""The runner: what plugins do to their own runs, and can not do to others."""
