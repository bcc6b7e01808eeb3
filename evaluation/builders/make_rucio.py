"""Makes the tables of Rucio from its own models."""

import os
import tempfile
from pathlib import Path

config = Path(tempfile.mkdtemp()) / "rucio.cfg"
config.write_text(f"[database]\ndefault = {os.environ['SQLALCHEMY_URL']}\nschema = dev\n", encoding="utf-8")
os.environ["RUCIO_CONFIG"] = str(config)

from rucio.db.sqla import models
from sqlalchemy import create_engine, text

engine = create_engine(os.environ["SQLALCHEMY_URL"])
with engine.begin() as connection:
    connection.execute(text("CREATE SCHEMA dev"))
models.register_models(engine)
