"""Makes the tables of Indico from its own models, with the first rows of an installation."""

import os
import tempfile
from pathlib import Path

folder = tempfile.mkdtemp()
config = Path(folder) / "indico.conf"
config.write_text(
    f"""
SQLALCHEMY_DATABASE_URI = {os.environ["DSN"]!r}
SECRET_KEY = "of no use: nothing is ever signed with it"
BASE_URL = "http://localhost"
CELERY_BROKER = REDIS_CACHE_URL = "redis://127.0.0.1:1/0"
CACHE_DIR = TEMP_DIR = LOG_DIR = {folder!r}
STORAGE_BACKENDS = {{"default": "fs:{folder}"}}
ATTACHMENT_STORAGE = "default"
LOGGING_CONFIG_FILE = "logging.yaml"
NO_REPLY_EMAIL = SUPPORT_EMAIL = PUBLIC_SUPPORT_EMAIL = "nobody@localhost"
""",
    encoding="utf-8",
)
(Path(folder) / "logging.yaml").write_text(
    "version: 1\nhandlers: {}\nformatters: {}\nloggers: {}\nroot: {}\n", encoding="utf-8"
)
os.environ["INDICO_CONFIG"] = str(config)

from indico.core.db.sqlalchemy import db
from indico.core.db.sqlalchemy.util.management import create_all_tables
from indico.core.db.sqlalchemy.util.models import import_all_models
from indico.web.flask.app import make_app
from sqlalchemy import text

application = make_app()
import_all_models()
with application.app_context():
    with db.engine.begin() as connection:
        connection.execute(text("CREATE EXTENSION unaccent; CREATE EXTENSION pg_trgm"))
    create_all_tables(db)
