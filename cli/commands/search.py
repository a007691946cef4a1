"""`modelhub search`."""

import click

from cli import console, text
from cli.app import App, command
from cli.sizes import COUNT

SORTS = ("downloads", "likes", "last_modified", "created_at", "trending_score")


@command("search")
@click.argument("words", metavar="[TEXT]...", nargs=-1)
@click.option(
    "--source", default="huggingface", show_default=True, help="Where to look: huggingface, starter, …"
)
@click.option("--author", help="Only models of this user or organisation.")
@click.option("--task", help="For example text-generation.")
@click.option("--library", help="For example transformers or gguf.")
@click.option("--license", "license_", help="For example apache-2.0.")
@click.option("--language", help="For example en.")
@click.option("--tag", "tags", multiple=True, help="A further tag it must have. May be repeated.")
@click.option("--min-params", type=COUNT, metavar="N", help="At least so many parameters: 500M, 7B.")
@click.option("--max-params", type=COUNT, metavar="N", help="At most so many parameters.")
@click.option("--gated/--open", "gated", default=None, help="Only models with a licence to accept, or none.")
@click.option("--sort", type=click.Choice(SORTS), help="Most of this first.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most models to show."
)
def search_command(
    app: App,
    words: tuple[str, ...],
    source: str,
    author: str | None,
    task: str | None,
    library: str | None,
    license_: str | None,
    language: str | None,
    tags: tuple[str, ...],
    min_params: int | None,
    max_params: int | None,
    gated: bool | None,
    sort: str | None,
    limit: int,
) -> None:
    """Find models in a source by words of their names."""
    filters = {
        "author": author,
        "task": task,
        "library": library,
        "license": license_,
        "language": language,
        "tags": ",".join(tags) or None,
        "min_parameters": min_params,
        "max_parameters": max_params,
        "gated": None if gated is None else str(gated).lower(),
        "sort": sort,
    }
    found = list(app.hub.pages("search", most=limit, source=source, q=" ".join(words), **filters))
    if app.json:
        console.document({"items": found})
        return
    console.table(
        ["MODEL", "TASK", ">PARAMETERS", ">DOWNLOADS", ">LIKES", "LICENSE", "UPDATED"],
        [
            (
                item["ref"] + (" (gated)" if item.get("gated") else ""),
                item.get("task") or "",
                text.count(item.get("parameters")),
                text.count(item.get("downloads")),
                text.count(item.get("likes")),
                item.get("license") or "",
                text.ago(item.get("updated_at")),
            )
            for item in found
        ],
        empty="Nothing fits. Try fewer words or another --source.",
    )
