"""The web side: the console for people, metrics and probes for machines. It reads, and never writes."""

from pgvigil.web.app import create_app
from pgvigil.web.server import WebServer

__all__ = ["WebServer", "create_app"]
