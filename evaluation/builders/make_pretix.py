"""Makes the tables of pretix from its own models."""

import os
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

parts = urlsplit(os.environ["DSN"])
folder = Path(tempfile.mkdtemp())
config = folder / "pretix.cfg"
config.write_text(
    f"""
[pretix]
datadir = {folder}
[database]
backend = postgresql
name = {parts.path.lstrip("/")}
user = {parts.username}
password = {unquote(parts.password or "")}
host = {parts.hostname}
port = {parts.port}
""",
    encoding="utf-8",
)
os.environ |= {"PRETIX_CONFIG_FILE": str(config), "DJANGO_SETTINGS_MODULE": "pretix.settings"}

import django
from from_models import create_tables

django.setup()
create_tables()
