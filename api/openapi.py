"""Print the API's OpenAPI document: `python -m api.openapi`. Needs no Redis, and leaves nothing behind."""

import json
import sys
import tempfile

from api import create_app
from api.config import Settings
from api.controllers.openapi import document


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        app = create_app(Settings(MODELHUB_HOME=home, DATABASE_URL=None, _env_file=None))  # type: ignore[call-arg]
        json.dump(document(app), sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
