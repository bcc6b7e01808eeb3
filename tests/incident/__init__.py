"""The life of findings over runs."""
