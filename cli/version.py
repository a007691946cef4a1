"""The version of this command line."""

from pathlib import Path


def version() -> str:
    """From the installed package's metadata; from `pyproject.toml` beside us when run from a checkout."""
    from importlib import metadata  # 20 ms: not for commands that never ask

    try:
        return metadata.version("modelhub")
    except metadata.PackageNotFoundError:
        import tomllib

        text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
        return str(tomllib.loads(text)["project"]["version"])
