"""Who is behind each socket of this process, by namespace and socket id."""

from api.security.authorise import Identity

connected: dict[tuple[str, str], Identity] = {}
