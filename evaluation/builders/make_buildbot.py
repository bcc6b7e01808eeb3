"""Makes the tables of Buildbot from its own model."""

import os

from buildbot.db.model import Model
from sqlalchemy import create_engine

Model.metadata.create_all(create_engine(os.environ["SQLALCHEMY_URL"]))
