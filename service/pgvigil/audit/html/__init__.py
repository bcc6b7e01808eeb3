"""An audit as one HTML file: nothing is fetched from elsewhere, and all of it can be read without scripts."""

from pgvigil.audit.html.page import render

__all__ = ["render"]
