"""`python -m integrations.sources.xet_program` with an order on stdin: one file through the real Xet client.

The library's threads end with their process only, so it has one of its own, which may be killed at any moment
and dies with its parent. The file is written front to back: its length is how far it came, and the next run
goes on there. Order: `{hash, size, path, endpoint, token, expires, refresh_url, refresh_headers}`.
Exit code 0: all bytes are there; 28: no room (ENOSPC); 1: anything else, told on stdout as `{error}`.
"""

import ctypes
import errno
import fcntl
import json
import os
import signal
import sys
import time
from typing import Any

PDEATHSIG = 1
SYNC_BYTES = 64 * 1024**2
PATIENCE = 5.0
"""Seconds to wait for a predecessor that is being killed."""
CONFIG = {
    "telemetry.enabled": False,
    "client.retry_max_attempts": 3,
    "client.retry_base_delay": "500ms",
    "reconstruction.min_reconstruction_fetch_size": 64_000_000,
    "reconstruction.download_buffer_size": 256_000_000,
    "reconstruction.download_buffer_perfile_size": 128_000_000,
    "reconstruction.download_buffer_limit": 512_000_000,
}
"""By default its buffers take six gigabytes, it calls home, and it tries for minutes; others decide that."""


def main(order: dict[str, Any]) -> None:
    import hf_xet

    config = hf_xet.XetConfig().with_config(CONFIG)
    fd = os.open(order["path"], os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _lock(fd)
    start = os.lseek(fd, 0, os.SEEK_END)
    info = hf_xet.XetFileInfo(order["hash"], order["size"])
    group = hf_xet.XetSession(config).new_download_stream_group(
        endpoint=order["endpoint"],
        token=order["token"],
        token_expiry_unix_secs=order["expires"],
        token_refresh_url=order["refresh_url"],
        token_refresh_headers=order["refresh_headers"],
    )
    unsynced = 0
    for block in group.download_stream(info, start=start):
        view = memoryview(block)
        while view:
            view = view[os.write(fd, view) :]
        unsynced += len(block)
        if unsynced >= SYNC_BYTES:
            os.fdatasync(fd)
            unsynced = 0
    os.fsync(fd)
    if os.lseek(fd, 0, os.SEEK_END) != order["size"]:
        raise ValueError("Xet gave fewer bytes than the file has")


def _lock(fd: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        main(json.load(sys.stdin))
    except OSError as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:500]}), flush=True)
        os._exit(errno.ENOSPC if error.errno in (errno.ENOSPC, errno.EDQUOT) else 1)
    except BaseException as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:500]}), flush=True)
        os._exit(1)
    os._exit(0)  # the library's runtime is not worth waiting for
