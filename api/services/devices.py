"""What people call the program that a User-Agent describes: `Firefox on Linux`."""

import re

_BROWSERS = (  # the order matters: Edge also calls itself Chrome, and Chrome also Safari
    (r"Edg(?:e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Vivaldi/", "Vivaldi"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"HeadlessChrome/", "Chrome (headless)"),
    (r"Chromium/", "Chromium"),
    (r"Chrome/|CriOS/", "Chrome"),
    (r"Version/[\d.]+ .*Safari/", "Safari"),
    (r"^modelhub\b", "modelhub"),
)
_SYSTEMS = (
    (r"Android", "Android"),
    (r"iPhone|iPod", "iPhone"),
    (r"iPad", "iPad"),
    (r"Windows", "Windows"),
    (r"Mac OS X|Macintosh|Darwin", "macOS"),
    (r"CrOS", "ChromeOS"),
    (r"Linux|X11", "Linux"),
)


def describe(user_agent: str) -> str:
    """Browser and system; for other programs the name they begin with; `Unknown` for nothing."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if browser is None:
        name = re.match(r"[A-Za-z][\w.-]{0,30}", user_agent)
        browser = name.group() if name and name.group() != "Mozilla" else None
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "Unknown"


def _first(table: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for pattern, name in table if re.search(pattern, text)), None)
