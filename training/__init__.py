"""Programs that make models. Run as processes of their own; they know nothing of the web or the database."""
