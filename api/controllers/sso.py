"""/sso."""

ROUTES: list = []  # type: ignore[type-arg]
