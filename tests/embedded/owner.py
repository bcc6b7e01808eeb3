"""A program that owns a server, to be ended in every way. Not a test: the tests run it.

Usage: owner.py BINDIR return|raise|wait
"""

import os
import socket
import sys
import time
from pathlib import Path

from pgvigil.embedded import serve

bindir, ending = sys.argv[1:]

with serve(bindir=Path(bindir)) as server:
    try:
        sys.stdout.write("serving\n")
        sys.stdout.flush()
        if ending == "raise":
            raise RuntimeError("as it was asked to")
        if ending == "wait":
            time.sleep(60)
    except KeyboardInterrupt:
        # The terminal sends Ctrl-C to everybody: time for the server to die of it, if it does.
        time.sleep(0.3)
        os.kill(server.pid, 0)
        socket.create_connection((server.host, server.port), timeout=1).close()
        sys.stdout.write("still served\n")
        raise
