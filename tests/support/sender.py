"""The API as one person calls it, and what sending a model takes."""

import hashlib
from typing import Any

from flask import Flask

from api.services import fetching
from tests.support.people import Person


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Sender:
    """Calls of the API by one person."""

    def __init__(self, app: Flask, who: Person) -> None:
        self.app, self.who = app, who

    def __call__(self, method: str, path: str, wanted: int = 200, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.who.token}", **options.pop("headers", {})}
        answer = self.app.test_client().open(f"/api/v1/{path}", method=method, headers=headers, **options)
        assert answer.status_code == wanted, answer.get_data(as_text=True)
        self.headers = answer.headers
        said = answer.get_json()
        return said.get("data", said) if answer.status_code < 300 else said

    def begin(self, contents: dict[str, bytes], *, hashes: bool = True, **more: Any) -> Any:
        files = [
            {"path": path, "size": len(content), **({"sha256": sha256(content)} if hashes else {})}
            for path, content in contents.items()
        ]
        return self("POST", "uploads", 201, json={"name": "ada/mine", "files": files, **more})

    def piece(
        self, upload: Any, index: int, at: int | None, content: bytes, wanted: int = 200, **fields: str
    ) -> Any:
        headers = {"Content-Type": "application/offset+octet-stream", **fields}
        if at is not None:
            headers["Upload-Offset"] = str(at)
        return self("PATCH", f"uploads/{upload['id']}/files/{index}", wanted, data=content, headers=headers)

    def send(self, upload: Any, contents: dict[str, bytes]) -> None:
        for index, content in enumerate(contents.values()):
            at = upload["files"][index]["offset"]
            if at < len(content):
                self.piece(upload, index, at, content[at:])

    def complete(self, upload: Any, wanted: int = 202) -> Any:
        download = self("POST", f"uploads/{upload['id']}/complete", wanted)
        if wanted != 202:
            return download
        fetching.run(download["job_id"])
        return self("GET", f"downloads/{download['id']}")
