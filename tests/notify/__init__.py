"""The direct notifier."""
