"""`modelhub`: the command line. An HTTP client of the API; it imports nothing of the server."""
