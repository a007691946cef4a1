"""Which files of a repository are fetched."""

import fnmatch

from integrations.errors import FileNotInRepo
from integrations.sources.base import RemoteFile
from integrations.sources.quantisations import Variant, find, recommended, variants


def choose(
    files: list[RemoteFile], quant: str | None, memory: int | None = None
) -> tuple[list[RemoteFile], Variant | None, str | None]:
    """The files of one variant, which one it is, and a sentence when it was chosen among several GGUFs.

    Without `quant` the recommended one; everything, when there is none. Raises FileNotInRepo.
    """
    found = variants(files, memory)
    if quant:
        variant, note = find(found, quant), None
        if not variant.complete:
            raise FileNotInRepo(
                f"Parts of '{variant.name}' are missing at its source. Choose another variant."
            )
    else:
        best = recommended(found)
        if best is None or best.kind == "other":
            return files, None, None
        variant, note = best, _note(best, found)
    taken = set(variant.files)
    return [file for file in files if file.path in taken], variant, note


def _note(chosen: Variant, found: list[Variant]) -> str | None:
    among = sum(each.kind == chosen.kind for each in found)
    if chosen.kind != "gguf" or among < 2:
        return None
    return f"Of {among} quantisations {chosen.name} was chosen. {chosen.reason}"


def select(files: list[RemoteFile], include: list[str] | None, exclude: list[str] | None) -> list[RemoteFile]:
    """The wanted files, in the order given.

    Globs as in the shell; a pattern that ends in `/` means everything below. Raises FileNotInRepo when a
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
    chosen = [file for file in chosen if not any(matches(file.path, pattern) for pattern in exclude or [])]
    if not chosen:
        raise FileNotInRepo("Nothing is left to fetch. Exclude less, or choose a model that has files.")
    return chosen


def matches(path: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(path, pattern + "*" if pattern.endswith("/") else pattern)


def _some(files: list[RemoteFile]) -> str:
    names = ", ".join(file.path[:60] for file in files[:8])
    return f"{names} and {len(files) - 8} more" if len(files) > 8 else names or "no files"
