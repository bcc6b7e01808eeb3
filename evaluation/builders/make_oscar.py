"""Makes the tables of django-oscar with its migrations."""

from django_app import migrate
from oscar import defaults

APPS = {
    "analytics": "Analytics",
    "checkout": "Checkout",
    "address": "Address",
    "shipping": "Shipping",
    "catalogue": "Catalogue",
    "catalogue.reviews": "CatalogueReviews",
    "communication": "Communication",
    "partner": "Partner",
    "basket": "Basket",
    "payment": "Payment",
    "offer": "Offer",
    "order": "Order",
    "customer": "Customer",
    "search": "Search",
    "voucher": "Voucher",
    "wishlists": "Wishlists",
    "dashboard": "Dashboard",
}

DASHBOARDS = (
    "reports users orders catalogue offers partners pages ranges reviews vouchers communications shipping"
).split()

migrate(
    [
        "oscar.config.Shop",
        *(f"oscar.apps.{name}.apps.{config}Config" for name, config in APPS.items()),
        *(f"oscar.apps.dashboard.{name}.apps.{name.title()}DashboardConfig" for name in DASHBOARDS),
        "treebeard",
        "haystack",
        "sorl.thumbnail",
    ],
    **{name: value for name, value in vars(defaults).items() if name.isupper()},
    HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
)
