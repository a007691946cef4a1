"""Models from addresses: what a server may answer, what of it is believed, and what arrives."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations import permitted
from integrations.child_events import EventWriter
from integrations.errors import (
    AccessDenied,
    IntegrityError,
    InvalidRef,
    NotFound,
    Stopped,
    Unreachable,
    Unsupported,
)
from integrations.permitted import Permitted
from integrations.sources.url import Url, UrlFile, UrlOptions, shown
from integrations.sources.url_fetch import program

GGUF = b"GGUF" + bytes(range(256)) * 4000
SHA256 = hashlib.sha256(GGUF).hexdigest()


class Server:
    """A web server of its own port: `content`, and how it hands it out."""

    def __init__(self) -> None:
        self.content, self.etag, self.asked = GGUF, '"one"', 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass  # whoever asks hangs up when it has seen enough

        self.http = Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def answer(self, request: Any) -> None:
        self.asked += 1
        kind = request.path.strip("/").split("/")[0]
        body, status = self.content, 200
        fields = {"ETag": self.etag, "Content-Type": "application/octet-stream"}
        if kind == "moved":
            status, body, fields["Location"] = 302, b"", request.path.removeprefix("/moved")
        elif kind == "away":
            status, body, fields["Location"] = 302, b"", "http://169.254.169.254/latest/x.gguf"
        elif kind in ("401", "404"):
            status, body = int(kind), b"no"
        elif kind == "page":
            body, fields["Content-Type"] = b"<!DOCTYPE html><html>", "text/html; charset=utf-8"
        elif kind == "named":
            fields["Content-Disposition"] = "attachment; filename=\"x.bin\"; filename*=UTF-8''b%C3%A4r.gguf"
        elif kind == "hostile":
            fields["Content-Disposition"] = 'attachment; filename="../../etc/passwd.gguf"'
        asked = request.headers.get("Range")
        if asked and kind not in ("whole", "endless") and status == 200:
            first, last = asked.removeprefix("bytes=").split("-")
            end = min(int(last) + 1, len(body))
            fields["Content-Range"] = f"bytes {first}-{end - 1}/{len(body)}"
            body, status = body[int(first) : end], 206
        request.send_response(status)
        if kind == "endless":
            fields["Transfer-Encoding"] = "chunked"
            body = b"".join(
                f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
                for piece in (body[at : at + 50_000] for at in range(0, len(body), 50_000))
            ) + b"0\r\n\r\n"  # fmt: skip
        else:
            fields["Content-Length"] = str(len(body))
        for name, value in fields.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    permitted.say(Permitted(origins=(running.url,)))
    yield running
    permitted.say(Permitted())
    running.http.shutdown()
    running.http.server_close()


def plan(url: str, **options: Any) -> Any:
    return Url().plan(url, None, None, None, UrlOptions(**options))


def fetch(made: Any, tmp_path: Path, stop: threading.Event | None = None) -> dict[str, Any]:
    into = tmp_path / "into"
    into.mkdir(exist_ok=True)
    spec = {"plan": made.model_dump(mode="json"), "into": str(into), "options": {"disk_reserve": 0}}
    return program(spec, EventWriter(str(tmp_path / "events.jsonl")), stop or threading.Event())


@pytest.mark.parametrize(
    ("path", "name", "size"),
    [
        ("ranged/model.gguf", "model.gguf", len(GGUF)),
        ("whole/model.gguf?x=1", "model.gguf", len(GGUF)),
        ("endless/model.gguf", "model.gguf", None),
        ("moved/ranged/model.gguf", "model.gguf", len(GGUF)),
        ("named/42", "bär.gguf", len(GGUF)),
    ],
)
def test_a_file_arrives_whatever_its_server_can(
    server: Server, tmp_path: Path, path: str, name: str, size: int | None
) -> None:
    made = plan(f"{server.url}/{path}#sha256={SHA256}")
    assert [(file.path, file.size) for file in made.files] == [(name, size)]
    assert made.ref == f"{server.url}/{path}".partition("?")[0] and made.name == name.removesuffix(".gguf")
    [file] = fetch(made, tmp_path)["files"]
    assert file == {"path": name, "size": len(GGUF), "sha256": SHA256}
    assert (tmp_path / "into" / name).read_bytes() == GGUF
    said = (tmp_path / "events.jsonl").read_text()
    assert ('"resumable":true' in said) == (path.split("/")[0] not in ("whole", "endless"))


def test_several_files_are_one_model(server: Server, tmp_path: Path) -> None:
    more = [
        UrlFile(url=f"{server.url}/ranged/2.gguf"),
        UrlFile(url=f"{server.url}/named/7", path="sub/3.gguf"),
    ]
    made = plan(f"{server.url}/endless/1.gguf", files=more, name="mine")
    files = fetch(made, tmp_path)["files"]
    assert [file["path"] for file in files] == ["1.gguf", "2.gguf", "sub/3.gguf"] and made.name == "mine"


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("page/model.gguf", Unsupported, "web page"),
        ("401/model.gguf", AccessDenied, "sign-in"),
        ("404/model.gguf", NotFound, "nothing"),
        ("away/model.gguf", Unreachable, "private network"),
        ("ranged/model.bin", Unsupported, "must end in"),
        ("ranged/", Unsupported, "must end in"),
        ("ranged/model.safetensors", Unsupported, "no safetensors file"),
        ("ranged/model.gguf#sha256=abc", InvalidRef, "64 hexadecimal"),
    ],
)
def test_what_is_no_models_file_is_told(server: Server, path: str, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        plan(f"{server.url}/{path}")


def test_a_name_from_a_server_stays_in_the_folder(server: Server, tmp_path: Path) -> None:
    assert plan(f"{server.url}/hostile/x").files[0].path == "passwd.gguf"
    with pytest.raises(InvalidRef):
        plan(f"{server.url}/ranged/x.gguf", path="../x.gguf")


@pytest.mark.parametrize(
    "url", ["http://user:pw@127.0.0.1/x.gguf", "ftp://example.org/x.gguf", "file:///etc/passwd", "x.gguf", ""]
)
def test_addresses_with_secrets_or_without_sense_are_refused(server: Server, url: str) -> None:
    with pytest.raises(InvalidRef):
        plan(url)
    assert not server.asked


def test_only_permitted_private_origins_are_dialled(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    permitted.say(Permitted())
    # The servers the hub itself talks to are not the user's to reach.
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    with pytest.raises(Unreachable):
        plan(f"{server.url}/ranged/model.gguf")
    assert not server.asked


def test_too_large_is_refused_before_and_while_it_comes(server: Server, tmp_path: Path) -> None:
    permitted.say(Permitted(origins=(server.url,), largest=100_000))
    with pytest.raises(Unsupported, match="most"):
        plan(f"{server.url}/ranged/model.gguf")
    with pytest.raises(Unsupported, match="does not end"):
        fetch(plan(f"{server.url}/endless/model.gguf"), tmp_path)


@pytest.mark.parametrize("path", ["ranged", "endless"])
def test_another_file_than_planned_is_not_taken(server: Server, tmp_path: Path, path: str) -> None:
    made = plan(f"{server.url}/{path}/model.gguf")
    server.etag = '"two"'
    with pytest.raises(IntegrityError, match="another"):
        fetch(made, tmp_path)


@pytest.mark.parametrize("path", ["ranged", "endless"])
def test_a_wrong_hash_is_never_promoted(server: Server, tmp_path: Path, path: str) -> None:
    made = plan(f"{server.url}/{path}/model.gguf", sha256="0" * 64)
    assert made.files[0].sha256 is None, "knowing a hash is no right to what the store has"
    with pytest.raises(IntegrityError):
        fetch(made, tmp_path)
    assert not (tmp_path / "into" / "model.gguf").exists()


@pytest.mark.parametrize("path", ["ranged", "endless"])
def test_it_stops_when_told_and_goes_on(server: Server, tmp_path: Path, path: str) -> None:
    made, stop = plan(f"{server.url}/{path}/model.gguf"), threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        fetch(made, tmp_path, stop)
    assert fetch(made, tmp_path)["files"][0]["sha256"] == SHA256


def test_an_address_is_kept_without_what_may_be_secret() -> None:
    assert shown("https://example.org:443/a/b.gguf?X-Signature=s3cret") == "https://example.org/a/b.gguf"
    long = shown(f"https://example.org/{'x' * 400}/b.gguf")
    assert len(long) <= 300 and long.endswith("b.gguf")
