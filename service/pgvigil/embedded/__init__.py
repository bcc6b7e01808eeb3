"""A private PostgreSQL server for the demo and the tests.

`serve` starts one from the binaries of an installed PostgreSQL or of the extra `pgvigil[embedded]`: on a free
port of the loopback interface, with a password, its data in a temporary directory. However the process that
asked for it ends, the server is stopped and the directory removed.
"""

from pgvigil.embedded.directory import GuardedDirectory, guarded_directory
from pgvigil.embedded.installations import Installation, find, installations
from pgvigil.embedded.server import Server, StopMode, serve

__all__ = [
    "GuardedDirectory",
    "Installation",
    "Server",
    "StopMode",
    "find",
    "guarded_directory",
    "installations",
    "serve",
]
