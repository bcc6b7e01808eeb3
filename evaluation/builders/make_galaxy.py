"""Makes the tables of Galaxy from its own models."""

import os

from galaxy.model import mapper_registry
from sqlalchemy import create_engine

mapper_registry.metadata.create_all(create_engine(os.environ["SQLALCHEMY_URL"]))
