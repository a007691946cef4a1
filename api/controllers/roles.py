"""/roles."""

ROUTES: list = []  # type: ignore[type-arg]
