"""`python -m tests.support.hub ROOT [PORT] [--rate BYTES_PER_SECOND] [--frozen]`: prints its address,
serves until SIGTERM."""

import argparse
import signal
import threading

from tests.support.hub import Hub


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="tests.support.hub", description="stand-in for the Hugging Face Hub"
    )
    parser.add_argument("root")
    parser.add_argument("port", nargs="?", type=int, default=0)
    parser.add_argument("--rate", type=int, default=0, help="bytes per second for each connection")
    parser.add_argument("--frozen", action="store_true", help="nothing under ROOT changes any more")
    options = parser.parse_args()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    with Hub(options.root, options.port, rate=options.rate, frozen=options.frozen) as hub:
        print(hub.url, flush=True)
        done.wait()


main()
