"""What Django applications have in common: settings over a base of contrib, and their own migrations."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.core.management import call_command

CONTRIB = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.sites",
    "django.contrib.flatpages",
    "django.contrib.redirects",
]


def database() -> dict[str, Any]:
    """Return the database as Django's settings want it."""
    parts = urlsplit(os.environ["DSN"])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname,
        "PORT": parts.port,
    }


def migrate(applications: Iterable[str], **more: Any) -> None:
    """Run all migrations of these applications and of contrib's."""
    # Nothing is ever signed.
    settings.configure(
        DATABASES={"default": database()},
        INSTALLED_APPS=[*CONTRIB, *applications],
        SECRET_KEY=os.urandom(16).hex(),
        SITE_ID=1,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        **more,
    )
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
