"""`python -m integrations.sources.url_fetch SPEC.json`: carry out a plan of the `url` source.

What has a size goes through the transfer engine, in ranges where the server has them. What has none is taken
in one stream, and begins again from zero after a pause. Every address is asked again before and after: what
was planned is what must be there. Result: `{files: [{path, size, sha256}], commit}`.
"""

import hashlib
import http.client
import os
import threading
from pathlib import Path
from typing import Any

from integrations import permitted
from integrations.addresses import origins_for_users
from integrations.child_events import EventWriter, run_child
from integrations.errors import IntegrityError, OutOfSpace, Stopped, Unreachable, Unsupported
from integrations.http import Outbound, Wire
from integrations.sources.url import UrlFile, look
from integrations.transfer import Download, Options, fetch
from integrations.transfer.meter import Meter
from integrations.transfer.names import STATE_FOLDER, inside
from integrations.transfer.space import check_room, disk_trouble

BLOCK = 1 << 20
ROOM_EVERY = 64 << 20


def program(spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> dict[str, Any]:
    plan, options, into = spec["plan"], Options.of(spec.get("options") or {}), Path(spec["into"])
    sizes = {file["path"]: file["size"] for file in plan["files"]}
    wanted = [each for each in plan["options"]["fetch"] if each["path"] in sizes]
    resumable = all(each["ranges"] for each in wanted)
    state = {"already": int(spec.get("already") or 0)}

    def report(progress: dict[str, Any]) -> None:
        counted = {name: progress[name] + state["already"] for name in ("bytes_done", "bytes_total")}
        events.progress(**progress | counted | {"resumable": resumable})

    _check_unchanged(wanted, sizes)
    sized = [each for each in wanted if sizes[each["path"]] is not None]
    outbound = _outbound(wanted[0]["url"], options)
    downloads = [Download(e["path"], e["url"], sizes[e["path"]], e["sha256"]) for e in sized]
    found = {file.path: vars(file) for file in fetch(
        downloads, into, outbound, options=options, stop=stop, report=report
    )} if downloads else {}  # fmt: skip
    state["already"] += sum(file["size"] for file in found.values())
    for each in wanted:
        if sizes[each["path"]] is None:
            found[each["path"]] = Stream(each, into, options, report, stop).take()
            state["already"] += found[each["path"]]["size"]
    _check_unchanged(wanted, sizes)
    return {"files": [found[each["path"]] for each in wanted], "commit": plan["commit"]}


def _outbound(url: str, options: Options) -> Outbound:
    return Outbound.for_address(
        url, origins_for_users(), connect=options.connect_timeout, read=options.stall_timeout
    )


def _check_unchanged(wanted: list[dict[str, Any]], sizes: dict[str, int | None]) -> None:
    """Raises IntegrityError when an address has another file by now than it had when it was planned."""
    answers = look([UrlFile(url=each["url"]) for each in wanted])
    for each, now in zip(wanted, answers, strict=True):
        same = now.etag == each["etag"] and (now.size == sizes[each["path"]])
        if now.page or not same:
            raise IntegrityError(
                f"{now.host} has another '{each['path']}' now than when this was planned. Start it anew.",
                details={"file": each["path"], "planned": each["etag"], "now": now.etag},
            )


class Stream:
    """One file of unknown size, whole or not at all."""

    def __init__(
        self, wanted: dict[str, Any], into: Path, options: Options, report: Any, stop: threading.Event
    ) -> None:
        self.wanted, self.into, self.options, self.report, self.stop = wanted, into, options, report, stop
        self.size = 0

    def take(self) -> dict[str, Any]:
        state = self.into / STATE_FOLDER
        state.mkdir(parents=True, exist_ok=True)
        part, target = state / "stream.part", inside(self.into, self.wanted["path"])
        wire = Wire(_outbound(self.wanted["url"], self.options))
        try:
            with part.open("wb") as file:
                sha256 = self._receive(wire, file)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            if full := disk_trouble(error, self.into):
                raise full from error
            raise self._cut(error) from error
        except http.client.HTTPException as error:
            raise self._cut(error) from error
        finally:
            wire.close()
        if self.wanted["sha256"] not in (None, sha256):
            part.unlink()
            raise IntegrityError(
                f"'{self.wanted['path']}' is not what was promised: its SHA-256 is {sha256[:16]}….",
                details={"file": self.wanted["path"], "sha256": sha256, "promised": self.wanted["sha256"]},
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        part.replace(target)
        return {"path": self.wanted["path"], "size": self.size, "sha256": sha256}

    def _receive(self, wire: Wire, file: Any) -> str:
        response = wire.get(self.wanted["url"], {})
        if response.status != 200:
            raise Unreachable(f"The server answers {response.status} for '{self.wanted['path']}' now.")
        digest, meter = hashlib.sha256(), Meter()
        buffer = memoryview(bytearray(BLOCK))
        largest, checked = permitted.now().largest, 0
        while count := response.receive(buffer):
            if self.stop.is_set():
                raise Stopped("Stopped; this server cannot go on from the middle.")
            self.size += count
            if self.size > largest:
                raise Unsupported(
                    f"'{self.wanted['path']}' does not end: more than {largest:,} bytes came "
                    "(MODELHUB_URL_LARGEST)."
                )
            if self.size >= checked:
                check_room(self.into, ROOM_EVERY, self.options.disk_reserve)
                checked = self.size + ROOM_EVERY
            digest.update(buffer[:count])
            file.write(buffer[:count])
            speed, _ = meter.read(self.size, 0)
            self.report(
                {"bytes_done": self.size, "bytes_total": self.size, "speed": round(speed), "eta": None}
            )
        return digest.hexdigest()

    def _cut(self, error: Exception) -> OutOfSpace | Unreachable:
        return Unreachable(
            f"The connection broke off after {self.size:,} bytes ({type(error).__name__}), and this server "
            "cannot "
            "go on from the middle. Retry to begin again.",
            details={"bytes": self.size},
        )


if __name__ == "__main__":
    run_child(program)
