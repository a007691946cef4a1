"""From what a person types to the object meant: an id, the beginning of one, a name, or a ref."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from cli.errors import NotFound, WrongUsage
from cli.hub import Hub

Found = dict[str, Any]
SHORTEST_PREFIX = 4
"""Characters of an id from which it counts as its beginning; less would catch names by accident."""


def match(typed: str, items: Iterable[Found], keys: tuple[str, ...]) -> list[Found]:
    """What `typed` names best; see `ranked`."""
    return ranked(typed, items, keys)[1]


def ranked(typed: str, items: Iterable[Found], keys: tuple[str, ...]) -> tuple[int, list[Found]]:
    """(rank, items): the best kind of match wins. Whole id, whole value of a key, beginning of an id, value
    in any case, last part of a value. A lower rank is a better match; nothing found ranks last."""
    items = list(items)
    low = typed.lower()
    rules: list[Callable[[Found], bool]] = [lambda item: item["id"] == typed]
    rules.append(lambda item: typed in [item.get(key) for key in keys])
    rules.append(lambda item: len(typed) >= SHORTEST_PREFIX and item["id"].startswith(low))
    rules.append(lambda item: low in {str(item.get(key, "")).lower() for key in keys})
    rules.append(lambda item: low in {str(item.get(key, "")).lower().rpartition("/")[2] for key in keys})
    for rank, rule in enumerate(rules):
        if hits := [item for item in items if rule(item)]:
            return rank, hits
    return len(rules), []


def one(typed: str, items: list[Found], keys: tuple[str, ...], kind: str, listing: str) -> Found:
    """The single match. None: `NotFound` with a near name. Several: `WrongUsage` with their ids."""
    hits = match(typed, items, keys)
    if len(hits) == 1:
        return hits[0]
    if hits:
        choices = ", ".join(f"{item['id']} ({label(item)})" for item in hits[:5])
        raise WrongUsage(f"'{typed}' fits {len(hits)} {kind}s: {choices}. Use an id.", code="AMBIGUOUS")
    known = [str(item[key]) for item in items for key in keys if item.get(key)]
    near = get_close_matches(typed, known, 1)
    hint = f"Did you mean '{near[0]}'?" if near else f"`{listing}` shows what there is."
    raise NotFound(f"There is no {kind} '{typed}'. {hint}")


def label(item: Found) -> str:
    text = str(item.get("name") or item.get("ref") or item.get("kind") or "")
    if item.get("revision"):
        text += f" @ {item['revision']}"
    return text


def models(hub: Hub) -> list[Found]:
    return list(hub.pages("models"))


def deployments(hub: Hub) -> list[Found]:
    return list(hub.pages("deployments"))


MODEL_KEYS = ("name", "ref")
DEPLOYMENT_KEYS = ("name",)


def model(hub: Hub, typed: str) -> Found:
    return one(typed, models(hub), MODEL_KEYS, "model", "modelhub list")


def deployment(hub: Hub, typed: str) -> Found:
    """A deployment by its own name or id, else the only one of the model named so."""
    found = deployments(hub)
    if not match(typed, found, DEPLOYMENT_KEYS):
        of_model = match(typed, [{**d, "id": d["model_id"]} for d in found], ("model_name",))
        if len(of_model) == 1:
            return next(d for d in found if d["name"] == of_model[0]["name"])
    return one(typed, found, DEPLOYMENT_KEYS, "deployment", "modelhub ps")


def download(hub: Hub, typed: str) -> Found:
    """By id, or by ref: then the newest, the hub lists those first."""
    found = list(hub.pages("downloads"))
    hits = match(typed, found, ("ref", "name"))
    if hits and len({(hit["source"], hit["ref"]) for hit in hits}) == 1:
        return hits[0]
    return one(typed, found, ("ref", "name"), "download", "modelhub downloads")


def complete_model(*arguments: Any) -> list[str]:
    """For the shell's TAB key: never slow, never loud."""
    return _complete(arguments, "models", ("name", "ref"))


def complete_deployment(*arguments: Any) -> list[str]:
    return _complete(arguments, "deployments", ("name",))


def complete_download(*arguments: Any) -> list[str]:
    return _complete(arguments, "downloads", ("id", "ref"))


def _complete(arguments: tuple[Any, ...], path: str, keys: tuple[str, ...]) -> list[str]:
    from cli.app import App

    try:
        items = list(Hub(App().url, patience=2).pages(path, most=100))
    except Exception:  # whatever it is, a TAB key is no place to say it
        return []
    words = {str(item[key]) for item in items for key in keys if item.get(key)}
    return sorted(word for word in words if word.startswith(arguments[2]))
