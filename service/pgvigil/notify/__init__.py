"""The direct notifier: incidents sent to Alertmanager by pgvigil itself."""

from pgvigil.notify.alerts import alert_name
from pgvigil.notify.notifier import Notifier
from pgvigil.notify.sender import Counts

__all__ = ["Counts", "Notifier", "alert_name"]
