"""What an administrator permits beyond the internet: origins in private networks, folders, sizes.

The application says it at its start (`say`), whether it came by the environment or by `.env`; a child program
is given it in its environment (`as_environment`).
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

LARGEST = 200 * 1000**3
"""Bytes of one file from an address, unless a setting says otherwise."""


@dataclass(frozen=True)
class Permitted:
    """`origins` users' addresses may lead to though they are private; `largest` file from an address in
    bytes; `folders` models may be taken from, and `home`, the hub's own, from which they may not."""

    origins: tuple[str, ...] = ()
    largest: int = LARGEST
    folders: tuple[Path, ...] = ()
    home: Path | None = None

    def as_environment(self) -> dict[str, str]:
        return {
            "MODELHUB_OUTBOUND_ORIGINS": json.dumps(list(self.origins)),
            "MODELHUB_URL_LARGEST": str(self.largest),
            "MODELHUB_FOLDERS": json.dumps([str(path) for path in self.folders]),
            **({"MODELHUB_HOME": str(self.home)} if self.home else {}),
        }


_said: list[Permitted] = []


def say(permitted: Permitted) -> None:
    """From now on this holds in this process."""
    _said[:] = [permitted]


def now() -> Permitted:
    """What was said, else what the environment says."""
    if _said:
        return _said[0]
    home = os.environ.get("MODELHUB_HOME")
    return Permitted(
        origins=tuple(json.loads(os.environ.get("MODELHUB_OUTBOUND_ORIGINS") or "[]")),
        largest=int(os.environ.get("MODELHUB_URL_LARGEST") or LARGEST),
        folders=tuple(Path(path) for path in json.loads(os.environ.get("MODELHUB_FOLDERS") or "[]")),
        home=Path(home) if home else None,
    )


def usual_folders() -> tuple[Path, ...]:
    """Where other programs of this user keep models: the Hugging Face cache and Ollama's store, if there."""
    chosen = os.environ.get
    hub = chosen("HF_HUB_CACHE") or (f"{chosen('HF_HOME')}/hub" if chosen("HF_HOME") else None)
    places = [hub or "~/.cache/huggingface/hub", chosen("OLLAMA_MODELS") or "~/.ollama/models"]
    found = [Path(place).expanduser() for place in places]
    return tuple(path.resolve() for path in found if path.is_dir())
