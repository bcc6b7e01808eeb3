"""Makes the tables of Zou from its own models."""

import os
from urllib.parse import unquote, urlsplit

parts = urlsplit(os.environ["DSN"])
os.environ |= {
    "SECRET_KEY": "of no use: nothing is ever signed with it",
    "DB_HOST": parts.hostname or "",
    "DB_PORT": str(parts.port),
    "DB_USERNAME": parts.username or "",
    "DB_PASSWORD": unquote(parts.password or ""),
    "DB_DATABASE": parts.path.lstrip("/"),
}

from zou.app import app, db
from zou.app.utils import dbhelpers

with app.app_context():
    dbhelpers.create_all()
    del db
