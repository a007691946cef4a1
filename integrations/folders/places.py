"""Which folders models may be taken from: below the permitted roots, wherever links lead, and never the hub's
own, which hold everybody's models."""

import os
from pathlib import Path

from integrations.errors import AccessDenied, InvalidRef, NotFound
from integrations.permitted import Permitted

LONGEST = 4096


def inside_roots(real: Path, permitted: Permitted) -> bool:
    """Whether a resolved path lies below a permitted root and not in the hub's own folder."""
    if permitted.home is not None and real.is_relative_to(permitted.home.resolve()):
        return False
    return any(real.is_relative_to(root.resolve()) for root in permitted.folders)


def allowed_folder(text: str, permitted: Permitted) -> Path:
    """The folder (or file) a user named, resolved. Raises InvalidRef, AccessDenied, NotFound; what lies
    outside the roots is refused before anybody looks whether it is there."""
    if not text or len(text) > LONGEST or not text.isprintable() or not text.startswith(("/", "~/")):
        raise InvalidRef("A folder is named by its whole path on the hub's machine, like /data/models.")
    if not permitted.folders:
        raise AccessDenied(
            "No folder of this machine may be used. An administrator can name some in MODELHUB_FOLDERS."
        )
    real = Path(os.path.realpath(Path(text).expanduser()))
    if not inside_roots(real, permitted):
        raise AccessDenied(
            f"'{text[:200]}' is in none of the folders that models may be taken from: "
            f"{', '.join(str(root) for root in permitted.folders)}. An administrator can add one in "
            "MODELHUB_FOLDERS.",
            details={"folders": [str(root) for root in permitted.folders]},
        )
    try:
        real.stat()
    except OSError:
        raise NotFound(f"There is no '{text[:200]}' on the hub's machine that the hub could read.") from None
    return real
