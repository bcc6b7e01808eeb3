"""What each check says of which database: one module a check, named after it, with its `CASES`."""
