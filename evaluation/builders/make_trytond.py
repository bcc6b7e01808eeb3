"""Makes the tables of Tryton: its modules of a trading company, as `trytond-admin` activates them."""

import os
from urllib.parse import urlsplit

from trytond.config import config

parts = urlsplit(os.environ["DSN"])
config.set("database", "uri", f"{parts.scheme}://{parts.netloc}/")
name = parts.path.lstrip("/")

from trytond.pool import Pool
from trytond.transaction import Transaction

MODULES = (
    "party country currency company account account_product account_invoice account_invoice_stock "
    "product purchase sale stock production"
).split()

with Transaction().start(name, 0) as transaction:
    transaction.database.init()
    transaction.commit()
pool = Pool(name)
pool.init(update=["res", "ir", *MODULES], lang=["en"])
