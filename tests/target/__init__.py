"""Targets: safe sessions on real servers."""
