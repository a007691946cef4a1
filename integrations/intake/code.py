"""Python that comes with a model and would be run by who trusts it (`trust_remote_code`). Here nobody does:
this only says what there is."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from integrations.intake.findings import shown

CONFIGS = (
    "config.json", "tokenizer_config.json", "adapter_config.json", "generation_config.json",
    "preprocessor_config.json", "processor_config.json", "image_processor_config.json",
    "feature_extractor_config.json", "video_preprocessor_config.json",
)  # fmt: skip
LIMIT = 4 * 2**20
MOST = 100


def remote_code(directory: Path) -> list[str]:
    """What a model would run if it were let, one sentence fragment each: who asks for which code."""
    found: list[str] = []
    for name in CONFIGS:
        config = _read(directory / name)
        asked = config.get("auto_map")
        values = asked.values() if isinstance(asked, dict) else [asked] if asked else []
        found += [f"{name} asks for {shown(str(_first(value)), 120)}" for value in values]
        if config.get("custom_generate"):
            found.append(f"{name} asks for its own generate()")
        mapping = config.get("auto_mapping")
        if isinstance(mapping, dict) and mapping.get("parent_library"):
            library = shown(str(mapping["parent_library"]), 80)
            if library.split(".")[0] not in ("transformers", "torch", "diffusers"):
                found.append(f"{name} imports {library}")
        if isinstance(config.get("custom_pipelines"), dict):
            found += [
                f"{name} asks for the pipeline {shown(str(key), 80)}" for key in config["custom_pipelines"]
            ]
    if (directory / "custom_generate").is_dir():
        found.append("custom_generate/ holds its own generate()")
    modules = sorted(
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*.py")
        if not any(part.startswith(".") for part in path.relative_to(directory).parts)
    )
    found += [shown(path, 200) for path in modules]
    return list(dict.fromkeys(found))[:MOST]


def needs_code(directory: Path) -> str | None:
    """The class of the model itself that is code of its own, without which no engine could load it; None when
    there is none, or when transformers has the same architecture built in and need not run it."""
    config = _read(directory / "config.json")
    asked, named = config.get("auto_map"), config.get("architectures")
    if not isinstance(asked, dict) or _built_in(config.get("model_type"), named):
        return None
    for name, value in asked.items():
        if isinstance(name, str) and (name == "AutoConfig" or name.startswith("AutoModel")):
            return shown(str(_first(value)), 120)
    return None


def _built_in(kind: Any, named: Any) -> bool:
    """Whether transformers' own table has this architecture. Its text is read; importing it takes seconds."""
    architecture = named[0] if isinstance(named, list) and named else None
    if not isinstance(kind, str) or not isinstance(architecture, str):
        return False
    return f'("{kind}", "{architecture}")' in _table()


@cache
def _table() -> str:
    found = find_spec("transformers")
    if found is None or found.origin is None:
        return ""
    return (Path(found.origin).parent / "models" / "auto" / "modeling_auto.py").read_text(encoding="utf-8")


def _first(value: Any) -> Any:
    """`["slow", "fast"]` of tokenizers: the one that is there."""
    return next((each for each in value if each), "") if isinstance(value, list) else value


def _read(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file() or path.stat().st_size > LIMIT:
            return {}
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
