"""`modelhub ollama`: the Ollama server beside the hub."""

import json
from typing import TextIO

import click

from cli import console, downloads, naming, text
from cli.app import App, command, family
from cli.commands.roles import agreed
from cli.errors import CliError, WrongUsage
from cli.waiting import states


@command("list")
def _list(app: App) -> None:
    """Show the server, what it holds and what it has in memory."""
    status = app.hub.get("ollama")
    if app.json:
        console.document(status)
        return
    if not status["reachable"]:
        raise CliError(status["error"]["message"], code=status["error"]["code"])
    running = {item["name"]: item for item in status["running"]}
    console.note(f"Ollama {status['version']} at {status['host']}")
    for warning in status["warnings"]:
        console.note(warning, "yellow")
    console.table(
        ["NAME", "FAMILY", ">PARAMETERS", "QUANTIZATION", ">SIZE", "IN MEMORY", "IN THE LIBRARY", "CHANGED"],
        [_row(item, running.get(item["name"])) for item in status["models"]],
        empty="It holds no models. `modelhub ollama pull NAME` lets it fetch one.",
    )


def _row(item: naming.Found, loaded: naming.Found | None) -> tuple[object, ...]:
    return (
        item["name"],
        item["family"] or "–",
        item["parameter_size"] or "–",
        item["quantization"] or "–",
        text.size(item["size"]),
        text.size(loaded["size"]) if loaded else "–",
        "yes" if item["model_id"] else "–",
        text.ago(item["modified_at"]) if item["modified_at"] else "–",
    )


@command("show")
@click.argument("name")
@click.option("--template", is_flag=True, help="Show the template alone.")
@click.option("--license", "licence", is_flag=True, help="Show the licence alone.")
def _show(app: App, name: str, template: bool, licence: bool) -> None:
    """Show the model NAME as the server knows it."""
    found = app.hub.get(f"ollama/models/{name}")
    if app.json:
        console.document(found)
    elif template or licence:
        console.say(found["template" if template else "license"])
    else:
        _tell(found)


def _tell(found: naming.Found) -> None:
    first = next((line.strip() for line in found["license"].splitlines() if line.strip()), None)
    console.fields(
        [
            ("name", found["name"]),
            ("format", found["format"]),
            ("family", found["family"]),
            ("parameters", found["parameter_size"] or text.count(found["parameters"])),
            ("quantization", found["quantization"]),
            ("context", found["context_length"]),
            ("made from", found["parent"]),
            ("can", ", ".join(found["capabilities"])),
            ("license", first),
            ("settings", " | ".join(" ".join(line.split()) for line in found["settings"].splitlines())),
        ]
    )


@command("pull")
@click.argument("name")
@click.option("-d", "--detach", is_flag=True, help="Start it and do not watch.")
def _pull(app: App, name: str, detach: bool) -> None:
    """Let the server pull NAME, as `ollama pull` would; it becomes a model of the library too."""
    download = downloads.start(app.hub, name, "ollama", None, [], [])
    if detach:
        if app.json:
            console.document(download)
        else:
            console.say(f"The Ollama server is pulling {name}. `modelhub downloads` shows how far it is.")
        return
    done = downloads.follow(app.hub, download, as_json=app.json)
    if not app.json:
        console.say(f"{done['ref']} is on the Ollama server: {text.size(done['bytes_done'])}.", "green")


@command("cp")
@click.argument("name")
@click.argument("to")
def _cp(app: App, name: str, to: str) -> None:
    """Give the server's model NAME the second name TO. It takes no more room."""
    app.hub.post(f"ollama/models/{name}/copy", {"to": to})
    if app.json:
        console.document({"name": name, "to": to})
    else:
        console.say(f"{name} is also called {to} now.")


@command("rm")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def _rm(app: App, name: str, yes: bool) -> None:
    """Delete the model NAME on the server. What the library says of it stays, and says that it is gone."""
    if not yes and not agreed(f"Delete {text.safe(name)} on the Ollama server?"):
        return
    app.hub.delete(f"ollama/models/{name}")
    if app.json:
        console.document({"removed": name})
    else:
        console.say(f"{name} is deleted on the Ollama server.")


@command("create")
@click.argument("name")
@click.argument("model", shell_complete=naming.complete_model)
@click.option("--file", "file", metavar="GGUF", help="Which of the model's GGUF files.")
@click.option("--from", "base", metavar="NAME", help="For an adapter: its base model on the server.")
@click.option("--system", help="System prompt.")
@click.option("--template", "template", type=click.File(), help="File with the template (- for stdin).")
@click.option(
    "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE",
    help="For example temperature=0.7; stop may be repeated.",
)  # fmt: skip
@click.option("-d", "--detach", is_flag=True, help="Start it and do not watch.")
def _create(
    app: App,
    name: str,
    model: str,
    file: str | None,
    base: str | None,
    system: str | None,
    template: TextIO | None,
    parameters: tuple[str, ...],
    detach: bool,
) -> None:
    """Make a model NAME on the server of MODEL, a model or adapter of the library."""
    body = {
        "name": name,
        "model_id": naming.model(app.hub, model)["id"],
        "file": file,
        "base": base,
        "system": system,
        "template": template.read() if template else None,
        "parameters": _parameters(parameters),
    }
    job = app.hub.post("ollama/models", {key: value for key, value in body.items() if value})
    if not detach:
        job = _followed(app, job)
    if app.json:
        console.document(job)
    elif detach:
        console.say(
            f"The Ollama server is making {name}. `modelhub jobs --kind ollama_create` shows how far it is."
        )
    else:
        console.say(f"{name} is on the Ollama server: {text.size(job['progress'].get('size'))}.", "green")


def _parameters(given: tuple[str, ...]) -> dict[str, object]:
    found: dict[str, object] = {}
    stops: list[str] = []
    for each in given:
        name, separator, words = each.partition("=")
        if not separator or not name:
            raise WrongUsage(f"'{each}' is no NAME=VALUE.")
        if name == "stop":
            stops.append(words)
            continue
        try:
            found[name] = json.loads(words)
        except ValueError:
            found[name] = words
    return {**found, "stop": stops} if stops else found


def _followed(app: App, job: naming.Found) -> naming.Found:
    said = ""
    for found in states(app.hub, f"jobs/{job['id']}"):
        progress = found["progress"]
        words = str(progress.get("message") or "")
        if words != said and not app.json and found["state"] == "running":
            done, total = progress.get("bytes_done") or 0, progress.get("bytes_total") or 0
            console.note(f"{words} ({text.size(done)}/{text.size(total)})" if total else words)
            said = words
        if found["state"] in downloads.ENDED:
            if found["state"] != "completed":
                error = found["error"] or {"code": "CANCELLED", "message": "It was cancelled."}
                raise CliError(error["message"], code=error["code"])
            return found
    raise AssertionError("states() does not end")


ollama_command = family(
    "ollama",
    "The Ollama server beside the hub (OLLAMA_HOST): see it, and what it holds.",
    _list,
    _show,
    _pull,
    _cp,
    _rm,
    _create,
)
