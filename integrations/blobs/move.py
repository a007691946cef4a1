"""The program that moves blobs between this disk and the object storage.

SPEC: `{job_id, events, action, url, endpoint, region, part, …}` and, for the action
`store`: `{files: [{path, size, sha256}], directory}`, files of a model to keep there too;
`fetch`: the same and `blobs`, the root of the local store: the files that are to be here again;
`discard`: `{contents: [sha256]}`, what nobody refers to any more.
Keys come by AWS's own variables. Result: `{contents: [sha256], bytes}`, what is now as it was wanted.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from integrations.blobs.local import READ_ONLY, LocalBlobs
from integrations.blobs.s3 import PART, S3Blobs, S3Place
from integrations.child_events import EventWriter, run_child
from integrations.errors import Stopped

FILES_AT_ONCE = 4


class Moved:
    """Counts bytes of several threads and tells the follower."""

    def __init__(self, events: EventWriter, total: int) -> None:
        self.events, self.total, self.done = events, total, 0
        self.lock = threading.Lock()

    def __call__(self, count: int) -> None:
        with self.lock:
            self.done += count
            self.events.progress(bytes_done=min(self.done, self.total), bytes_total=self.total)


def program(spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> dict[str, Any]:
    files = {file["sha256"]: file for file in spec.get("files", [])}
    contents = list(spec.get("contents", files))
    moved = Moved(events, sum(int(file["size"]) for file in files.values()))
    place = S3Place.at(spec["url"], spec.get("endpoint"), spec.get("region"))
    far = S3Blobs(place, report=moved, stop=stop, part=int(spec.get("part") or PART))
    near = LocalBlobs(Path(spec["blobs"])) if spec.get("blobs") else None
    directory = Path(spec.get("directory") or "")

    def move(sha256: str) -> None:
        if stop.is_set():
            raise Stopped("Asked to stop.")
        if spec["action"] == "store":
            far.take(directory / files[sha256]["path"], sha256)
        elif spec["action"] == "discard":
            far.remove(sha256)
        elif near is not None and not near.has(sha256):
            far.place(sha256, near.path(sha256))
            near.path(sha256).chmod(READ_ONLY)

    far.client  # noqa: B018 - made here once: making one in several threads at a time is not safe
    with ThreadPoolExecutor(FILES_AT_ONCE) as threads:
        list(threads.map(move, contents))
    if near is not None:
        for file in spec.get("files", []):
            if not (directory / file["path"]).is_file():
                near.place(file["sha256"], directory / file["path"])
    return {"contents": contents, "bytes": moved.total}


if __name__ == "__main__":
    run_child(program)
