"""The web side: the console for people, metrics and probes for machines. It reads, and never writes.

Commands that only read its settings must not wait for its framework: nothing is imported here.
"""
