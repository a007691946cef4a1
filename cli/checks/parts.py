"""The hub and what it stands on: Redis and the database, asked directly."""

import sqlite3
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cli.checks import Check, Surroundings
from cli.places import is_loopback

START = "Start it with `make up` or `modelhub up`."


def hub(around: Surroundings) -> Check:
    import httpx

    try:
        answer = httpx.get(f"{around.url}/readyz", timeout=5, trust_env=not is_loopback(around.url))
        found = answer.json()
        found = found.get("data") or found.get("details") or found
        parts = found["parts"] if isinstance(found, dict) else {}
    except (httpx.HTTPError, httpx.InvalidURL):
        return Check("Hub", "warn", f"no hub answers at {around.url}", START)
    except (ValueError, KeyError, TypeError):
        advice = (
            "Another program has that port: choose one with MODELHUB_PORT, or name the hub with --hub URL."
        )
        return Check("Hub", "warn", f"what answers at {around.url} is not a ModelHub", advice)
    down = [
        f"{name}: {part.get('detail') or 'down'}" for name, part in parts.items() if part["status"] == "down"
    ]
    if down:
        return Check("Hub", "fail", f"{around.url}, but {'; '.join(down)}", f"See {around.home / 'logs'}.")
    return Check("Hub", "ok", f"{around.url} ({', '.join(parts)})")


def redis(around: Surroundings) -> Check:
    from supervisor import redis_server
    from supervisor.errors import CannotStart

    try:
        if url := around.variables.get("REDIS_URL"):
            redis_server.require_external(url)
            return Check("Redis", "ok", "the server that REDIS_URL names answers")
        binary, label = redis_server.find_server()
        path = redis_server.socket_path(around.home) if around.home.exists() else None
        if path and path.exists() and redis_server.answers(f"unix://{path}"):
            return Check("Redis", "ok", f"{label}, embedded, answers")
        return Check("Redis", "ok", f"{label} at {binary}, started with the hub")
    except CannotStart as error:
        return Check("Redis", "fail", *_split(str(error)))
    except OSError:
        return Check("Redis", "ok", f"{label} at {binary}, started with the hub")


def _split(sentence: str) -> tuple[str, str]:
    """What happened, and what to do: the supervisor says both in one sentence with `;` or `:` between."""
    for mark in ("; ", ": "):
        happened, found, advice = sentence.partition(mark)
        if found:
            return happened, advice[:1].upper() + advice[1:]
    return sentence, ""


def database(around: Surroundings) -> Check:
    url = around.variables.get("DATABASE_URL", "")
    if not url:
        return _sqlite(around.home / "modelhub.db")
    if url.startswith("sqlite:///"):
        return _sqlite(Path(url.removeprefix("sqlite:///").partition("?")[0]))
    return _postgresql(url)


def _sqlite(path: Path) -> Check:
    if not path.exists():
        return Check("Database", "ok", f"SQLite {sqlite3.sqlite_version}, made at the first start")
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
        try:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        advice = "Stop the hub, keep a copy of the file, and restore the last backup."
        return Check("Database", "fail", f"SQLite {path}: {found}", advice)
    return Check("Database", "ok", f"SQLite {path}")


def _postgresql(url: str) -> Check:
    parts = urlsplit(url)
    where = f"{parts.hostname or 'localhost'}:{parts.port or 5432}"
    try:
        import psycopg
    except ImportError:
        return Check("Database", "fail", "DATABASE_URL needs psycopg", "`make up` installs it.")
    try:
        with psycopg.connect(
            host=parts.hostname,
            port=parts.port,
            user=parts.username and unquote(parts.username),
            password=parts.password and unquote(parts.password),
            dbname=parts.path.lstrip("/") or None,
            connect_timeout=5,
        ) as connection:
            version = connection.info.server_version // 10000
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1]
        return Check(
            "Database", "fail", f"PostgreSQL at {where}: {reason}", "Start it, or correct DATABASE_URL."
        )
    return Check("Database", "ok", f"PostgreSQL {version} at {where}")
