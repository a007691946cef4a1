"""/users."""

ROUTES: list = []  # type: ignore[type-arg]
