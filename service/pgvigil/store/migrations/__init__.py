"""The migrations of the store, run by `pgvigil.store.migrate`."""
