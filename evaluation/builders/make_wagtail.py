"""Makes the tables of Wagtail with its migrations."""

from django_app import migrate

PARTS = (
    "contrib.forms contrib.redirects contrib.settings embeds sites users snippets documents images search "
    "admin"
).split()

migrate(
    [*(f"wagtail.{part}" for part in PARTS), "wagtail", "modelcluster", "taggit"],
    STATIC_URL="/static/",
    WAGTAILADMIN_BASE_URL="http://localhost",
    WAGTAIL_SITE_NAME="site",
)
