"""The outside world: model sources, runtimes, providers. Knows nothing of Flask or of our database."""
