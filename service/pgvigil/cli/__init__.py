"""The command line: every command of the contract, its options and its exit status."""

try:
    from pgvigil.cli.main import main
except KeyboardInterrupt:
    # Ctrl-C while all that is still being loaded, which takes a moment: no traceback then, either.
    raise SystemExit(130) from None

__all__ = ["main"]
