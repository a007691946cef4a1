"""An upstream that answers every request with an error that repeats all it was sent, as careless ones do."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Echo:
    """`saying` is put into every answer; `seen` are the values of Authorization that came."""

    url: str = ""
    saying: str = ""
    seen: list[str] = field(default_factory=list)


@contextlib.contextmanager
def echo(saying: str = "") -> Iterator[Echo]:
    upstream = Echo(saying=saying)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization", "")
            upstream.seen.append(given)
            said = (
                f"invalid credentials {given} ({given.partition(' ')[2]}) for {self.path} {upstream.saying}"
            )
            body = json.dumps({"error": said}).encode()
            self.send_response(401 if "denied" in self.path else 500)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Error-Message", said)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    upstream.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()
