"""Makes the tables of Apache Airflow from its own models."""

import os
import tempfile

os.environ |= {
    "AIRFLOW_HOME": tempfile.mkdtemp(),
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": os.environ["SQLALCHEMY_URL"],
    "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
}

from airflow import settings
from airflow.models import import_all_models
from airflow.models.base import Base

import_all_models()
settings.configure_orm()
Base.metadata.create_all(settings.engine)
