"""Looking for models in a folder: the layouts of Hugging Face's cache, of Ollama's store, and plain folders.

Only names, sizes and small manifests are read. Links are followed in one place: from a snapshot of the
Hugging Face cache to the blobs of the same repository. Bounded in entries, depth and time.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from integrations.errors import NotFound
from integrations.folders.found import Found, FoundFile, Scan
from integrations.permitted import Permitted

MAX_ENTRIES = 50_000
MAX_FOUND = 500
MAX_DEPTH = 8
SECONDS = 10.0
MANIFEST_BYTES = 1 << 20
OLLAMA_WEIGHTS = "application/vnd.ollama.image.model"

_REPO = re.compile(r"models--(.+)")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_MODEL_FILES = (".gguf", ".safetensors")


class _Enough(Exception):
    """The bounds are reached."""


class _Budget:
    def __init__(self) -> None:
        self.entries, self.deadline = MAX_ENTRIES, time.monotonic() + SECONDS

    def spend(self) -> None:
        self.entries -= 1
        if self.entries < 0 or time.monotonic() > self.deadline:
            raise _Enough


def scan(folder: Path, permitted: Permitted) -> Scan:
    """All models below `folder`, which has been allowed. What cannot be read is passed over."""
    answer, budget = Scan(), _Budget()
    home = permitted.home.resolve() if permitted.home else None
    try:
        for found in _walk(folder, folder, budget, home, 0):
            answer.found.append(found)
            if len(answer.found) >= MAX_FOUND:
                raise _Enough
    except _Enough:
        answer.truncated = True
    return answer


def look_into(path: Path) -> Found:
    """The one model that lies at `path`: a snapshot, a manifest of Ollama's, a folder or a single file.
    Raises NotFound when there is none, or more than one in folders below."""
    budget = _Budget()
    try:
        if path.is_file():
            found = _manifest(path, budget) if "manifests" in path.parts else _single(path)
        elif path.parent.name == "snapshots" and _REPO.fullmatch(path.parent.parent.name):
            found = _snapshot(path, path.name, budget)
        elif _REPO.fullmatch(path.name):
            found = next(_repository(path, budget), None)
        else:
            found = _plain(path, path.parent, budget)
    except _Enough:
        raise NotFound(f"'{path}' has more files than a model. Name the model's own folder.") from None
    if found is None:
        raise NotFound(
            f"There is no model at '{path}': no *.gguf, *.safetensors or config.json. `modelhub scan {path}` "
            "looks into the folders below."
        )
    return found


def _walk(folder: Path, top: Path, budget: _Budget, home: Path | None, depth: int) -> Iterator[Found]:
    if folder == home or depth > MAX_DEPTH:
        return
    if _REPO.fullmatch(folder.name):
        yield from _repository(folder, budget)
        return
    if (folder / "manifests").is_dir() and (folder / "blobs").is_dir():
        yield from _ollama(folder, budget)
        return
    if found := _plain(folder, top, budget):
        yield found
        return
    for entry in _entries(folder, budget):
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from _walk(Path(entry.path), top, budget, home, depth + 1)


def _entries(folder: Path, budget: _Budget) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listed:
            found = []
            for entry in listed:
                budget.spend()
                found.append(entry)
    except OSError:
        return []
    return sorted(found, key=lambda entry: entry.name)


def _repository(repo: Path, budget: _Budget) -> Iterator[Found]:
    """The snapshots of one repository of the cache, those with a branch or tag first."""
    names: dict[str, str] = {}
    for ref in sorted((repo / "refs").rglob("*")):
        budget.spend()
        if ref.is_file() and not ref.is_symlink() and ref.stat().st_size <= 80:
            names.setdefault(ref.read_text(errors="replace").strip(), str(ref.relative_to(repo / "refs")))
    snapshots = [entry for entry in _entries(repo / "snapshots", budget) if _COMMIT.fullmatch(entry.name)]
    for entry in sorted(snapshots, key=lambda entry: (entry.name not in names, entry.name)):
        if entry.is_dir(follow_symlinks=False):
            found = _snapshot(Path(entry.path), names.get(entry.name, entry.name), budget)
            if found:
                yield found


def _snapshot(folder: Path, revision: str, budget: _Budget) -> Found | None:
    repo = folder.parent.parent
    if revision == folder.name:
        revision = next(
            (str(ref.relative_to(repo / "refs")) for ref in sorted((repo / "refs").rglob("*"))
             if ref.is_file() and ref.read_text(errors="replace")[:80].strip() == folder.name),
            revision,
        )  # fmt: skip
    blobs = (repo / "blobs").resolve()
    files = []
    for path in _files(folder, budget, 0):
        real = Path(os.path.realpath(path))
        if real.is_file() and (real.parent == blobs or real.is_relative_to(folder)):
            digest = real.name if len(real.name) == 64 and _COMMIT.fullmatch(real.name) else None
            name = path.relative_to(folder).as_posix()
            files.append(FoundFile(path=name, size=real.stat().st_size, sha256=digest, name=name))
    ref = "/".join(repo.name.removeprefix("models--").split("--", 1))
    return _described("huggingface", folder, folder, ref, ref, revision, folder.name, files)


def _ollama(store: Path, budget: _Budget) -> Iterator[Found]:
    for path in _files(store / "manifests", budget, 0):
        if not path.is_symlink() and (found := _manifest(path, budget)):
            yield found


def _manifest(path: Path, budget: _Budget) -> Found | None:
    """A manifest's GGUF, under a name that ends like one; it lies among the blobs, so it can only be
    copied."""
    budget.spend()
    parts = path.parts
    at = len(parts) - 1 - parts[::-1].index("manifests")
    inner, store = parts[at + 1 :], Path(*parts[:at])
    try:
        if len(inner) < 3 or path.stat().st_size > MANIFEST_BYTES:
            return None
        manifest = json.loads(path.read_bytes())
        digests = [
            _DIGEST.fullmatch(layer["digest"])
            for layer in manifest["layers"]
            if layer.get("mediaType") == OLLAMA_WEIGHTS
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if len(digests) != 1 or digests[0] is None:
        return None
    blob = store / "blobs" / f"sha256-{digests[0][1]}"
    if blob.is_symlink() or not blob.is_file():
        return None
    names = [part for part in inner[1:-1] if part != "library"]
    ref = f"{'/'.join(names)}:{inner[-1]}"
    file = FoundFile(
        path=re.sub(r"[^A-Za-z0-9._-]+", "-", ref) + ".gguf",
        size=blob.stat().st_size,
        sha256=digests[0][1],
        name=f"blobs/{blob.name}",
    )
    found = _described("ollama", path, store, ref, ref, inner[-1], digests[0][1], [file])
    return found and found.model_copy(update={"adoptable": False})


def _plain(folder: Path, top: Path, budget: _Budget) -> Found | None:
    """A folder with weights or a configuration of its own; what lies in folders below belongs to it then."""
    own = [entry for entry in _entries(folder, budget) if entry.is_file(follow_symlinks=False)]
    weights = [entry for entry in own if entry.name.endswith(_MODEL_FILES)]
    described = any(entry.name in ("config.json", "adapter_config.json") for entry in own)
    if not weights and not (described and any(entry.name.endswith(".bin") for entry in own)):
        return None
    gguf = bool(weights) and all(entry.name.endswith(".gguf") for entry in weights) and not described
    found = [Path(entry.path) for entry in own] if gguf else list(_files(folder, budget, 0))
    files = []
    for path in found:
        if not path.is_symlink() and path.is_file():
            name = path.relative_to(folder).as_posix()
            files.append(FoundFile(path=name, size=path.stat().st_size, name=name))
    publisher = folder.parent != top and folder.parent.is_relative_to(top)
    name = f"{folder.parent.name}/{folder.name}" if publisher else folder.name
    return _described("plain", folder, folder, name, name, "local", _print(folder, files), files)


def _single(path: Path) -> Found | None:
    """One file that is a whole model."""
    if not path.name.endswith(_MODEL_FILES):
        return None
    files = [FoundFile(path=path.name, size=path.stat().st_size, name=path.name)]
    commit = _print(path.parent, files)
    found = _described("plain", path, path.parent, path.stem, path.stem, "local", commit, files)
    return found and found.model_copy(update={"adoptable": False})  # its folder holds other things


def _files(folder: Path, budget: _Budget, depth: int) -> Iterator[Path]:
    """Files and links below, no hidden ones; folders that are links are not entered."""
    for entry in _entries(folder, budget):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if depth < MAX_DEPTH:
                yield from _files(Path(entry.path), budget, depth + 1)
        else:
            yield Path(entry.path)


def _described(
    layout: Literal["huggingface", "ollama", "plain"],
    path: Path,
    base: Path,
    name: str,
    ref: str,
    revision: str,
    commit: str,
    files: list[FoundFile],
) -> Found | None:
    if not any(file.path.endswith((*_MODEL_FILES, ".bin")) for file in files):
        return None
    names = {file.path for file in files}
    kind: Literal["base", "adapter", "gguf"] = "base"
    if "adapter_config.json" in names:
        kind = "adapter"
    elif not any(name.endswith(".safetensors") for name in names) and any(n.endswith(".gguf") for n in names):
        kind = "gguf"
    return Found(
        layout=layout, path=str(path), base=str(base), name=name, ref=ref, revision=revision, commit=commit,
        kind=kind, files=files,
    )  # fmt: skip


def _print(folder: Path, files: list[FoundFile]) -> str:
    """What stands for a commit where there is none: names, sizes and times. Another one means it changed."""
    seen = [[file.path, file.size, (folder / file.name).stat().st_mtime_ns] for file in files]
    return hashlib.sha256(json.dumps(sorted(seen)).encode()).hexdigest()
