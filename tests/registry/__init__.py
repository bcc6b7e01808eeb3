"""The registry: checks of any distribution, held to the plugin contract, bound to their settings."""
