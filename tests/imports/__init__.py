"""Relations that are imported from files of other tools."""
