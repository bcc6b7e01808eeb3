"""What a scrape sees."""
