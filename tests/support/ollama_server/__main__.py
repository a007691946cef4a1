"""`python -m tests.support.ollama_server HOME [PORT] [--model NAME=BYTES …] [--pace SECONDS]`: prints its
address, serves until SIGTERM. What `--model` names can be pulled."""

import argparse
import signal
import threading

from tests.support.ollama_server import OllamaServer, library_model
from tests.support.ollama_server.store import full_name


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.support.ollama_server", description="stand-in for Ollama")
    parser.add_argument("home")
    parser.add_argument("port", nargs="?", type=int, default=0)
    parser.add_argument("--model", action="append", default=[], metavar="NAME=BYTES")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds between two steps of a pull")
    parser.add_argument("--forgets", action="store_true", help="keep nothing of a pull that was broken off")
    options = parser.parse_args()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    server = OllamaServer(options.home, options.port)
    server.trouble.pace, server.trouble.keeps_partials = options.pace, not options.forgets
    for given in options.model:
        name, _, size = given.partition("=")
        server.registry[full_name(name)] = library_model(int(size or 1_000_000), seed=name)
    with server:
        print(server.url, flush=True)
        done.wait()


main()
