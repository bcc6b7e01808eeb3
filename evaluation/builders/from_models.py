"""What Django applications have in common whose migrations take too long: all tables at once."""

from django.apps import apps
from django.conf import settings
from django.core.management import call_command


def create_tables() -> None:
    """Create what the models of the installed applications say, without their migrations."""
    settings.MIGRATION_MODULES = {application.label: None for application in apps.get_app_configs()}
    call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
