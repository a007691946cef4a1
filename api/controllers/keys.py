"""/keys."""

ROUTES: list = []  # type: ignore[type-arg]
