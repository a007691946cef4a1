"""What the stand-in serves: ROOT/<namespace>/<name>/files, with other revisions beside it as
<name>@<revision>/.

A namespace called `gated` needs the token; one called `private` does not even exist without it.
`<repo>/.standin.json` may override fields of the model's description (downloads, likes, tags, …).
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import yaml

LFS_SUFFIXES = {".safetensors", ".gguf", ".bin", ".pt", ".pth", ".h5", ".onnx", ".msgpack", ".model"}
LFS_BYTES = 1_000_000
HIDDEN = ".standin.json"

_hashes: dict[tuple[str, str, int, int], str] = {}


def file_hash(path: Path, kind: str) -> str:
    """`sha256` of the content, or `sha1` as git names a blob; remembered until the file changes."""
    stat = path.stat()
    key = (str(path), kind, stat.st_mtime_ns, stat.st_size)
    if key not in _hashes:
        digest = hashlib.new(kind)
        if kind == "sha1":
            digest.update(b"blob %d\0" % stat.st_size)
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        _hashes[key] = digest.hexdigest()
    return _hashes[key]


class Repo:
    """One revision of one model, read from its folder each time: what tests write is served at once."""

    def __init__(self, root: Path, ref: str, revision: str = "main") -> None:
        self.root, self.ref, self.revision = root, ref, revision
        self.folder = root / (ref if revision == "main" else f"{ref}@{revision}")

    @property
    def gated(self) -> bool:
        return self.ref.startswith("gated/")

    @property
    def private(self) -> bool:
        return self.ref.startswith("private/")

    def paths(self) -> list[str]:
        found = [
            os.path.relpath(Path(folder, name), self.folder)
            for folder, _, names in os.walk(self.folder)
            for name in names
        ]
        return sorted(path for path in found if path != HIDDEN)

    def is_lfs(self, path: str) -> bool:
        file = self.folder / path
        return file.suffix in LFS_SUFFIXES or file.stat().st_size > LFS_BYTES

    def commit(self) -> str:
        names = "".join(
            path + file_hash(self.folder / path, "sha256" if self.is_lfs(path) else "sha1")
            for path in self.paths()
        )
        return hashlib.sha1((self.ref + names).encode()).hexdigest()

    def etag(self, path: str) -> str:
        return file_hash(self.folder / path, "sha256" if self.is_lfs(path) else "sha1")

    def entry(self, path: str) -> dict[str, Any]:
        size = (self.folder / path).stat().st_size
        entry: dict[str, Any] = {"type": "file", "path": path, "size": size}
        if self.is_lfs(path):
            digest = file_hash(self.folder / path, "sha256")
            pointer = (
                f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n".encode()
            )
            entry["oid"] = hashlib.sha1(b"blob %d\0" % len(pointer) + pointer).hexdigest()
            entry["lfs"] = {"oid": digest, "size": size, "pointerSize": len(pointer)}
        else:
            entry["oid"] = file_hash(self.folder / path, "sha1")
        return entry

    def sibling(self, path: str, blobs: bool) -> dict[str, Any]:
        if not blobs:
            return {"rfilename": path}
        entry = self.entry(path)
        sibling = {"rfilename": path, "size": entry["size"], "blobId": entry["oid"]}
        if lfs := entry.get("lfs"):
            sibling["lfs"] = {"sha256": lfs["oid"], "size": lfs["size"], "pointerSize": lfs["pointerSize"]}
        return sibling

    def card(self) -> dict[str, Any]:
        readme = self.folder / "README.md"
        text = readme.read_text("utf-8") if readme.exists() else ""
        if not text.startswith("---\n"):
            return {}
        try:
            front = yaml.safe_load(text[4:].split("\n---", 1)[0])
        except yaml.YAMLError:
            return {}
        return front if isinstance(front, dict) else {}

    def safetensors(self) -> dict[str, Any] | None:
        """Parameter counts by dtype from the safetensors headers, as the Hub computes them."""
        counts: dict[str, int] = {}
        for path in self.paths():
            if path.endswith(".safetensors"):
                with (self.folder / path).open("rb") as file:
                    length = int.from_bytes(file.read(8), "little")
                    try:
                        header = json.loads(file.read(length)) if length < 10_000_000 else {}
                    except ValueError:
                        header = {}
                for name, tensor in header.items():
                    if name != "__metadata__":
                        size = 1
                        for extent in tensor["shape"]:
                            size *= extent
                        counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + size
        return {"parameters": counts, "total": sum(counts.values())} if counts else None

    def description(self) -> dict[str, Any]:
        """The model as `/api/models` lists it, without siblings."""
        card = self.card()
        library = card.get("library_name", "transformers")
        task = card.get("pipeline_tag", "text-generation")
        spoken = card.get("language") or []
        tags = [library, task, *card.get("tags", []), *([spoken] if isinstance(spoken, str) else spoken)]
        if any(path.endswith(".safetensors") for path in self.paths()):
            tags.append("safetensors")
        if card.get("license"):
            tags.append(f"license:{card['license']}")
        described = {
            "_id": hashlib.sha1(self.ref.encode()).hexdigest()[:24],
            "id": self.ref,
            "modelId": self.ref,
            "author": self.ref.split("/")[0],
            "sha": self.commit(),
            "lastModified": "2026-11-01T00:00:00.000Z",
            "createdAt": "2026-10-01T00:00:00.000Z",
            "private": self.private,
            "gated": "auto" if self.gated else False,
            "disabled": False,
            "downloads": len(self.ref) * 100,
            "likes": len(self.ref),
            "tags": sorted(set(tags)),
            "pipeline_tag": task,
            "library_name": library,
            "cardData": card,
            "safetensors": self.safetensors(),
        }
        overrides = self.folder / HIDDEN
        return described | (json.loads(overrides.read_text()) if overrides.exists() else {})


class FrozenRepo(Repo):
    """One that nobody changes while it is served: what takes a walk through all files is computed once."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._paths = dict.fromkeys(super().paths())
        self._commit = super().commit()

    def paths(self) -> Any:
        return self._paths  # in order, and quickly searched

    def commit(self) -> str:
        return self._commit


class Shelf:
    """All models under ROOT; with `frozen`, nobody changes them any more."""

    def __init__(self, root: Path, *, frozen: bool = False) -> None:
        self.root = root
        self._frozen: dict[tuple[str, str], Repo] | None = {} if frozen else None

    def _repo(self, ref: str, revision: str = "main") -> Repo:
        if self._frozen is None:
            return Repo(self.root, ref, revision)
        key = ref, revision
        if key not in self._frozen:
            self._frozen[key] = FrozenRepo(self.root, ref, revision)
        return self._frozen[key]

    def refs(self) -> list[str]:
        return sorted(
            f"{space.name}/{repo.name}"
            for space in self.root.iterdir()
            if space.is_dir()
            for repo in space.iterdir()
            if repo.is_dir() and "@" not in repo.name
        )

    def revisions(self, ref: str) -> list[str]:
        """Named revisions, `main` first; one that starts with `v` counts as a tag."""
        space, name = ref.split("/")
        named = [folder.name.split("@", 1)[1] for folder in (self.root / space).glob(f"{name}@*")]
        return ["main", *sorted(named)]

    def repo(self, ref: str) -> Repo | None:
        return self._repo(ref) if "@" not in ref and (self.root / ref).is_dir() else None

    def at(self, ref: str, revision: str) -> Repo | None:
        """The revision by name, full commit or unique short commit."""
        for name in self.revisions(ref):
            repo = self._repo(ref, name)
            if revision in (name, f"refs/heads/{name}") or (
                len(revision) >= 7 and repo.commit().startswith(revision)
            ):
                return repo
        return None
