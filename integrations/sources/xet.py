"""Files the Hub keeps in Xet storage and does not like to give by plain HTTP: those of 50 GB and more.

Each is fetched by the real client in a process of its own, watched: when neither its file nor its connections
move, it is killed. What it brought is handed to the transfer, which proves it like every other byte and
fetches what is missing by plain HTTP. So any trouble with Xet costs time, and nothing else.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from integrations.addresses import Origin
from integrations.errors import IntegrationError, OutOfSpace, Stopped, Unreachable
from integrations.http import Outbound, Wire, proxy_for
from integrations.redaction import redact
from integrations.sources.xet_gate import Gate
from integrations.transfer import Download, Handover, Options
from integrations.transfer.meter import Meter
from integrations.transfer.space import check_room

TRIES = 2
"""Runs in a row that bring nothing, before plain HTTP has its turn."""
PROGRESS = 1024**2
"""Bytes a run must bring to count as one that brought something."""
TICK = 0.25

Report = Callable[[dict[str, Any]], None]


class Large(NamedTuple):
    """A file for Xet: its place in the plan, and the name of its content in Xet storage."""

    place: int
    xet_hash: str


def large_files(plan: dict[str, Any], at_least: int) -> list[Large]:
    """The files of a plan (as JSON) that should come through Xet; none when `at_least` is 0."""
    return [
        Large(index, file["xet_hash"])
        for index, file in enumerate(plan["files"])
        if at_least and file.get("xet_hash") and file.get("sha256") and (file.get("size") or 0) >= at_least
    ]


def fetch_large(
    files: list[Large],
    downloads: Sequence[Download],
    into: Path,
    plan: dict[str, Any],
    outbound: Outbound,
    options: Options,
    stop: threading.Event,
    report: Report,
    say: Callable[[str], None],
) -> None:
    """Bring what Xet can bring of `files` and hand it over; `say` hears why it could not.

    Raises OutOfSpace and Stopped; what has come stays for the next time.
    """
    handover = Handover(downloads, into)
    try:
        for file in files:
            if not handover.is_known(file.place):
                _Fetch(file, handover, plan, outbound, options, stop, report, say).run()
    finally:
        handover.close()


class _Fetch:
    def __init__(
        self,
        file: Large,
        handover: Handover,
        plan: dict[str, Any],
        outbound: Outbound,
        options: Options,
        stop: threading.Event,
        report: Report,
        say: Callable[[str], None],
    ) -> None:
        self.file, self.handover, self.plan = file, handover, plan
        self.outbound, self.options, self.stop, self.report, self.say = outbound, options, stop, report, say
        self.download = handover.downloads[file.place]
        self.folder = handover.state / "xet"
        self.folder.mkdir(exist_ok=True)
        self.part = self.folder / f"{file.place:05d}"
        self.before, self.total = handover.bytes_known(), sum(d.size for d in handover.downloads)
        self.begun, self.meter = self.length(), Meter()

    def run(self) -> None:
        failures = 0
        check_room(self.handover.into, self.download.size - self.length(), self.options.disk_reserve)
        while self.length() < self.download.size and failures < TRIES:
            before = self.length()
            trouble = self._once()
            if trouble is None:
                break
            failures = 1 if self.length() - before >= PROGRESS else failures + 1
            self.say(f"Xet did not bring {self.download.path} ({redact(trouble)}).")
        if self.part.exists():
            self.handover.give(self.file.place, self.part)

    def length(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _once(self) -> str | None:
        """One run of the program. What went wrong, or None."""
        try:
            order = self._order()
        except (IntegrationError, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"[:300]
        with Gate(self.outbound, self.options.throttle) as gate:
            process = subprocess.Popen(
                [sys.executable, "-m", "integrations.sources.xet_program"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environment(gate, order["endpoint"]),
            )
            try:
                _tell_it(process, order)
                if trouble := self._watch(process, gate):
                    return trouble
            except BrokenPipeError:
                pass  # it ended before it read its order; its exit code says why
            finally:
                process.kill()
                process.wait()
            if process.returncode == 0:
                return None
            if process.returncode == 28:
                raise OutOfSpace(
                    f"The disk filled up while '{self.download.path}' came through Xet. What has arrived is "
                    "kept: free space and resume."
                )
            return gate.refused or _last_words(process) or f"it ended with code {process.returncode}"

    def _watch(self, process: subprocess.Popen[bytes], gate: Gate) -> str | None:
        """Until it ends, or stands still for too long; then it is killed."""
        last, since = (self.length(), gate.moved), time.monotonic()
        while process.poll() is None:
            now = (self.length(), gate.moved)
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > self.options.stall_timeout:
                process.kill()
                return f"it stood still for {self.options.stall_timeout:.0f} seconds and was killed"
            self._tell()
            if self.stop.wait(TICK):
                raise Stopped("The download was stopped; what has arrived is kept.")
        self._tell()
        return None

    def _tell(self) -> None:
        length = self.length()
        done = self.before + length
        speed, eta = self.meter.read(max(0, length - self.begun), self.total - done)
        self.report(
            {
                "bytes_done": done,
                "bytes_total": self.total,
                "speed": round(speed),
                "eta": eta,
                "message": "Through Xet",
                "resumable": True,
            }
        )

    def _order(self) -> dict[str, Any]:
        """What the program needs, with a token of the hub's for this revision.

        Raises IntegrationError, OSError, ValueError.
        """
        ref, commit = self.plan["ref"], quote(self.plan["commit"], safe="")
        url = f"{self.outbound.home}/api/models/{ref}/xet-read-token/{commit}"
        wire = Wire(self.outbound)
        try:
            answer = wire.get(url, {})
            names = ("Cas-Url", "Access-Token", "Token-Expiration")
            address, token, expires = (answer.header(f"X-Xet-{name}") for name in names)
        finally:
            wire.close()
        if answer.status != 200 or not address or not token:
            raise Unreachable(f"the hub gave no token for its Xet storage ({answer.status})")
        home = self.outbound.home
        if urlsplit(address).scheme != "https" and home.scheme == "https":
            raise Unreachable("the hub named a Xet storage without encryption")
        return {
            "hash": self.file.xet_hash,
            "size": self.download.size,
            "path": str(self.part),
            "endpoint": address,
            "token": token,
            "expires": int(expires or 0),
            "refresh_url": url,
            "refresh_headers": self.outbound.headers(home),
        }

    def _environment(self, gate: Gate, endpoint: str) -> dict[str, str]:
        """Nothing of ours but the path to its modules; its caches and logs go where the parts go."""
        kept = ("PATH", "PYTHONPATH", "LANG", "SSL_CERT_FILE", "LD_LIBRARY_PATH")
        chosen = {name: os.environ[name] for name in kept if name in os.environ}
        chosen |= {"HF_HOME": str(self.folder / "home"), "HF_XET_CACHE": str(self.folder / "home")}
        if proxy_for(Origin.of(endpoint)):  # then that one is the way out, and it looks names up
            proxies = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
            return chosen | {name: os.environ[name] for name in proxies if name in os.environ}
        ways = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        return chosen | dict.fromkeys(ways, gate.address) | {"NO_PROXY": "", "no_proxy": ""}


def _tell_it(process: subprocess.Popen[bytes], order: dict[str, Any]) -> None:
    """By a pipe: the order holds tokens, and others can read a command line or an environment."""
    if process.stdin:
        process.stdin.write(json.dumps(order).encode())
        process.stdin.close()


def _last_words(process: subprocess.Popen[bytes]) -> str:
    return process.stdout.read(2000).decode(errors="replace").strip() if process.stdout else ""
