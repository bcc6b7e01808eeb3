"""Makes the tables of OpenStack's Neutron from its own models."""

import os

from neutron.db.migration.models import head
from sqlalchemy import create_engine

head.get_metadata().create_all(create_engine(os.environ["SQLALCHEMY_URL"]))
