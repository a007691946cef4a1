"""Where things are on this machine: the hub's home, our own settings, and which hub is meant."""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from cli.errors import WrongUsage

ROOT = Path(__file__).resolve().parent.parent
"""The checkout, or the directory the packages are installed in."""

DEFAULT_URL = "http://127.0.0.1:5000"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound


def home() -> Path:
    """Data directory of this machine's hub: `MODELHUB_HOME` (environment or `.env`), else `~/.modelhub`."""
    from supervisor.environment import read_environment  # the supervisor's own reading, so that both agree
    from supervisor.errors import CannotStart

    try:
        return read_environment(os.environ).home
    except CannotStart:  # another setting is wrong; `modelhub up` says which
        return Path(os.environ.get("MODELHUB_HOME") or "~/.modelhub").expanduser().resolve()


def config_directory() -> Path:
    """`$XDG_CONFIG_HOME/modelhub`, else `~/.config/modelhub`: what this person's command line remembers."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "modelhub"


def local_hub() -> str | None:
    """The address that the hub of this home wrote when it started."""
    try:
        url = json.loads((home() / "run" / "hub.json").read_text(encoding="utf-8"))["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return normal(url) if isinstance(url, str) else None


def local_token() -> str | None:
    """The bearer token that the hub keeps for those who may read its home (0600)."""
    try:
        return (home() / "local-token").read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def normal(url: str) -> str:
    """One spelling for one hub: scheme given, no trailing slash, an address that can be called."""
    text = url.strip().rstrip("/")
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        number = parts.port
    except ValueError:
        raise WrongUsage(f"'{url}' is not an address. Give one like http://127.0.0.1:5000.") from None
    host = (parts.hostname or "").lower()
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - "every address" is called at the loopback one
        host = "127.0.0.1"
    if ":" in host:
        host = f"[{host}]"
    port = f":{number}" if number else ""
    return f"{parts.scheme.lower()}://{host}{port}{parts.path}"


def is_loopback(url: str) -> bool:
    return (urlsplit(url).hostname or "") in LOOPBACK


def same_hub(one: str, other: str) -> bool:
    """Whether two addresses are one hub; the loopback names of one port are."""
    a, b = urlsplit(one), urlsplit(other)
    if (a.scheme, a.port, a.path) != (b.scheme, b.port, b.path):
        return False
    return a.hostname == b.hostname or (is_loopback(one) and is_loopback(other))
