"""The web side, over HTTP and in a real browser, on a real store."""
