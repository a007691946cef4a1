"""/teams."""

ROUTES: list = []  # type: ignore[type-arg]
