"""/account."""

ROUTES: list = []  # type: ignore[type-arg]
