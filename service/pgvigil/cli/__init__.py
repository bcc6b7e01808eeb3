"""The command line: every command of the contract, its options and its exit status."""

from pgvigil.cli.main import main

__all__ = ["main"]
