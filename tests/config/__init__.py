"""Reading the configuration: what it may say, and what a person is told when it can't be."""
