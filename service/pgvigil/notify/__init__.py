"""The direct notifier: incidents sent to Alertmanager by pgvigil itself."""
