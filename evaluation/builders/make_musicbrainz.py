"""Makes the tables of MusicBrainz from the models of mbdata."""

import os
from collections.abc import Iterable

from mbdata.models import Base
from sqlalchemy import create_engine, text

engine = create_engine(os.environ["SQLALCHEMY_URL"])
schemas: Iterable[str] = {table.schema for table in Base.metadata.tables.values() if table.schema}
with engine.begin() as connection:
    connection.execute(text("CREATE EXTENSION cube"))
    for schema in schemas:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
Base.metadata.create_all(engine)
