"""Makes the tables of Nautobot from its own models."""

import os
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

parts = urlsplit(os.environ["DSN"])
os.environ |= {
    "NAUTOBOT_ROOT": tempfile.mkdtemp(),
    "NAUTOBOT_SECRET_KEY": "of no use: nothing is ever signed with it",
    "NAUTOBOT_DB_NAME": parts.path.lstrip("/"),
    "NAUTOBOT_DB_USER": parts.username or "",
    "NAUTOBOT_DB_PASSWORD": unquote(parts.password or ""),
    "NAUTOBOT_DB_HOST": parts.hostname or "",
    "NAUTOBOT_DB_PORT": str(parts.port),
    "NAUTOBOT_INSTALLATION_METRICS_ENABLED": "false",
}
config = Path(os.environ["NAUTOBOT_ROOT"]) / "nautobot_config.py"
config.write_text("from nautobot.core.settings import *\n", encoding="utf-8")

import nautobot
from from_models import create_tables

nautobot.setup(str(config))
create_tables()
