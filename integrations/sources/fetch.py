"""`python -m integrations.sources.fetch SPEC.json`: carry out a plan of the `huggingface` source.

SPEC: `{job_id, events, plan: FetchPlan, already: bytes, into: folder, options: {connections, …}}`, where
`already` is what the model has beyond this plan, for the progress;
`HF_ENDPOINT` and `HF_TOKEN` come by environment. Result: `{files: [{path, size, sha256}], commit}`.
"""

import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

from integrations.child_events import EventWriter, run_child
from integrations.errors import Unsupported
from integrations.sources.hub_settings import endpoint, token
from integrations.sources.refs import check_ref
from integrations.sources.xet import fetch_large, large_files
from integrations.transfer import Download, Options, Outbound, fetch
from integrations.transfer.names import check_names


def downloads_of(plan: dict[str, Any], base: str) -> list[Download]:
    """The addresses of a plan's files at its commit. Raises InvalidRef for a hostile file name,
    Unsupported for a file of unknown size."""
    check_names(file["path"] for file in plan["files"])
    ref, commit = check_ref(plan["ref"]), quote(plan["commit"], safe="")
    chosen = []
    for file in plan["files"]:
        if file.get("size") is None:
            raise Unsupported(
                f"The hub does not say how large '{file['path']}' is. Leave it out with `exclude`."
            )
        url = f"{base}/{ref}/resolve/{commit}/{quote(file['path'])}"
        chosen.append(Download(file["path"], url, file["size"], file.get("sha256"), file.get("git_sha1")))
    return chosen


def program(spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> dict[str, Any]:
    plan, options, base = spec["plan"], Options.of(spec.get("options") or {}), endpoint()
    already = int(spec.get("already") or 0)

    def report(progress: dict[str, Any]) -> None:
        counted = {name: progress[name] + already for name in ("bytes_done", "bytes_total")}
        events.progress(**progress | counted)

    def said(words: str) -> None:
        events.emit("log", message=words)

    outbound = Outbound(base, token(), connect=options.connect_timeout, read=options.stall_timeout)
    downloads, into = downloads_of(plan, base), Path(spec["into"])
    if large := large_files(plan, int((spec.get("options") or {}).get("xet_bytes") or 0)):
        fetch_large(large, downloads, into, plan, outbound, options, stop, report, said)
    fetched = fetch(
        downloads,
        into,
        outbound,
        options=options,
        stop=stop,
        report=report,
    )
    return {"files": [vars(file) for file in fetched], "commit": plan["commit"]}


if __name__ == "__main__":
    run_child(program)
