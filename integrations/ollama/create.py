"""`python -m integrations.ollama.create SPEC.json`: make a model on the Ollama server of files of the
library.

SPEC: `{job_id, events, name, files: [{path, name, size, sha256}], adapter: bool, from, template, system,
parameters, license}`; `OLLAMA_HOST` comes by environment. Files the server has already are not sent. Result:
`{name, digest, size}`.
"""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from integrations.child_events import EventWriter, run_child
from integrations.errors import IntegrityError, Stopped, Unreachable
from integrations.ollama import words
from integrations.ollama.server import Server, pieces
from integrations.ollama.streaming import until_stopped
from integrations.transfer.meter import Meter


class Sending:
    """Files on their way to the server, and how far they are."""

    def __init__(
        self, server: Server, files: list[dict[str, Any]], events: EventWriter, stop: threading.Event
    ):
        self._server, self._files, self._events, self._stop = server, files, events, stop
        self._total = sum(file["size"] for file in files)
        self._done = self._moved = 0
        self._meter = Meter()

    def digests(self) -> dict[str, str]:
        """Name → digest of every file, each of them on the server."""
        found = {}
        for file in self._files:
            digest = f"sha256:{file['sha256'] or self._hash(Path(file['path']))}"
            if self._server.has_blob(digest):
                self._done += file["size"]
                self.say(f"{file['name']} is there already")
            else:
                self._send(file, digest)
            found[file["name"]] = digest
        return found

    def say(self, message: str, *, force: bool = True) -> None:
        speed, eta = self._meter.read(self._moved, self._total - self._done)
        self._events.progress(
            force=force, bytes_done=self._done, bytes_total=self._total, speed=speed, eta=eta, message=message
        )

    def _send(self, file: dict[str, Any], digest: str) -> None:
        path = Path(file["path"])
        if path.stat().st_size != file["size"]:
            raise IntegrityError(f"{file['name']} is not as large as the library says. Verify the library.")

        def content() -> Iterator[bytes]:
            for piece in pieces(path):
                self._check()
                yield piece
                self._done += len(piece)
                self._moved += len(piece)
                self.say(f"sending {file['name']}", force=False)

        self._server.put_blob(digest, content(), file["size"])

    def _hash(self, path: Path) -> str:
        digest = hashlib.sha256()
        for piece in pieces(path):
            self._check()
            digest.update(piece)
        return digest.hexdigest()

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped("Making the model was stopped.")


def program(spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> dict[str, Any]:
    server, name = Server(), spec["name"]
    sending = Sending(server, spec["files"], events, stop)
    sending.say("looking what the server has")
    digests = sending.digests()
    given = {key: spec.get(key) for key in ("template", "system", "parameters", "license") if spec.get(key)}
    made_of = {"adapters" if spec.get("adapter") else "files": digests, **given}
    if spec.get("from"):
        made_of["from_"] = spec["from"]
    last = ""
    for step in until_stopped(server.create(name, **made_of), stop, server):
        last = step.status
        sending.say(last)
    if last != "success":
        raise Unreachable(str(words.broken(server.url)))
    held = server.find(name)
    return {"name": held.name, "digest": held.digest, "size": held.size}


if __name__ == "__main__":
    run_child(program)
