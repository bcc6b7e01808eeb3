"""Makes the tables of OpenStack's Keystone with its own migrations."""

import os

import keystone.conf
from keystone.common import sql
from keystone.common.sql import upgrades

keystone.conf.configure()
sql.initialize()
keystone.conf.CONF([], project="keystone", default_config_files=[])
keystone.conf.CONF.set_override("connection", os.environ["SQLALCHEMY_URL"], group="database")
upgrades.offline_sync_database_to_version()
