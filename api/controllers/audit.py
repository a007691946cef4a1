"""/audit."""

ROUTES: list = []  # type: ignore[type-arg]
