"""The audit: what a target holds, what refers to what, what is in pieces, and what became of it since."""
