"""Which files of a repository are fetched."""

import fnmatch

from integrations.errors import FileNotInRepo
from integrations.sources.base import RemoteFile

OTHER_WEIGHTS = (
    "*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle", "*.h5", "*.msgpack", "*.ot", "*.onnx",
    "*.onnx_data",
    "*.tflite", "*.mlmodel", "*.npz", "onnx/*", "openvino/*", "coreml/*", "tf/*", "flax/*", "original/*",
)  # fmt: skip
"""The same weights once more, for other frameworks, often as pickles that run code when loaded."""


def select(files: list[RemoteFile], include: list[str] | None, exclude: list[str] | None) -> list[RemoteFile]:
    """The wanted files, in the order given.

    Globs as in the shell; a pattern that ends in `/` means everything below. With no `include`, weights for
    other frameworks are left out when the repository also has `*.safetensors`. Raises FileNotInRepo when a
    pattern of `include` matches nothing, or nothing is left.
    """
    chosen = files
    if include:
        for pattern in include:
            if not any(matches(file.path, pattern) for file in files):
                raise FileNotInRepo(
                    f"No file of this model matches '{pattern[:120]}'. It has: {_some(files)}.",
                    details={"pattern": pattern[:500]},
                )
        chosen = [file for file in files if any(matches(file.path, pattern) for pattern in include)]
    elif any(file.path.endswith(".safetensors") for file in files):
        chosen = [file for file in files if not any(matches(file.path, other) for other in OTHER_WEIGHTS)]
    chosen = [file for file in chosen if not any(matches(file.path, pattern) for pattern in exclude or [])]
    if not chosen:
        raise FileNotInRepo("Nothing is left to fetch. Exclude less, or choose a model that has files.")
    return chosen


def matches(path: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(path, pattern + "*" if pattern.endswith("/") else pattern)


def _some(files: list[RemoteFile]) -> str:
    names = ", ".join(file.path[:60] for file in files[:8])
    return f"{names} and {len(files) - 8} more" if len(files) > 8 else names or "no files"
