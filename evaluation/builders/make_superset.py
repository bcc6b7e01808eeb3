"""Makes the tables of Apache Superset, Flask-AppBuilder's among them, from its own models."""

import os
import tempfile
from pathlib import Path

config = Path(tempfile.mkdtemp()) / "superset_config.py"
config.write_text(
    f"""
SECRET_KEY = "of no use: nothing is ever signed with it"
CACHE_CONFIG = DATA_CACHE_CONFIG = {{"CACHE_TYPE": "NullCache"}}
FILTER_STATE_CACHE_CONFIG = EXPLORE_FORM_DATA_CACHE_CONFIG = CACHE_CONFIG
SQLALCHEMY_DATABASE_URI = {os.environ["DSN"]!r}
""",
    encoding="utf-8",
)
os.environ |= {"SUPERSET_CONFIG_PATH": str(config), "FLASK_APP": "superset"}

from flask_appbuilder import Model
from superset.app import create_app

application = create_app()
with application.app_context():
    from superset.extensions import db

    Model.metadata.create_all(db.engine)
