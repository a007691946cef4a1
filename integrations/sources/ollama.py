"""The `ollama` source: models an Ollama server pulls and keeps. The hub remembers them; it has no files.

Ollama offers no search of its library to programs. So a search shows what the server holds, and the name that
was typed, as something it can try to pull.
"""

from typing import ClassVar

from pydantic import BaseModel

from integrations.errors import InvalidRef, NotFound, Unsupported
from integrations.ollama import Held, Server, full_name
from integrations.ollama.facts import license_name
from integrations.ollama.names import tag_of
from integrations.sources.base import (
    FetchPlan,
    Listing,
    ModelCard,
    NoOptions,
    RemoteFile,
    Revision,
    SearchItem,
    SearchPage,
    SearchQuery,
)


class Ollama:
    name: ClassVar[str] = "ollama"
    title: ClassVar[str] = "Ollama"
    description: ClassVar[str] = (
        "Models the Ollama server pulls and keeps. Its library cannot be searched: type a model's exact name."
    )
    searchable: ClassVar[bool] = True
    child_module: ClassVar[str] = "integrations.sources.ollama_pull"
    Options: ClassVar[type[BaseModel]] = NoOptions

    def search(self, query: SearchQuery) -> SearchPage:
        """What the server holds, and the name that was typed when it holds no such thing."""
        if query.cursor or query.gated:
            return SearchPage(items=[])
        with Server() as server:
            held = server.models()
        wanted = query.text.lower().split()
        items = [_item(each) for each in held if all(word in each.name.lower() for word in wanted)]
        typed = _typed(query.text)
        if typed and typed not in {full_name(each.name) for each in held}:
            items.append(
                SearchItem(
                    ref=typed, name=typed, description="Not on the server yet. Pull it to see if it exists."
                )
            )
        asked = {
            "license": query.license,
            "task": query.task,
            "library": query.library,
            "author": query.author,
        }
        if any(asked.values()):
            items = []  # the server knows none of these
        return SearchPage(items=items[: query.limit])

    def card(self, ref: str, revision: str | None) -> ModelCard:
        name = full_name(ref)
        with Server() as server:
            try:
                shown = server.show(name)
            except NotFound:
                text = (
                    f"The Ollama server does not hold `{name}` yet, and Ollama's library cannot be "
                    "asked about it. Its page is on [ollama.com](https://ollama.com/library)."
                )
                return ModelCard(ref=name, revision=tag_of(name), text=text)
        parts = [f"# {name}"]
        facts = (shown.family, shown.parameter_size, shown.quantization, shown.format)
        parts.append(" · ".join(fact for fact in facts if fact))
        for title, body in (
            ("Parameters", shown.settings), ("Template", shown.template), ("License", shown.license)
        ):  # fmt: skip
            if body:
                parts.append(f"## {title}\n\n{_quoted(body)}")
        metadata = {"license": license_name(shown.license), "capabilities": shown.capabilities}
        return ModelCard(ref=name, revision=tag_of(name), text="\n\n".join(parts), metadata=metadata)

    def listing(self, ref: str, revision: str | None) -> Listing:
        """One entry that stands for the layers. Size and digest are known of what the server holds."""
        held = self._look(full_name(ref, revision))
        file = RemoteFile(path=held.name, size=held.size or None)
        return Listing(ref=held.name, revision=tag_of(held.name), commit=held.digest, files=[file])

    def revisions(self, ref: str) -> list[Revision]:
        """The tags of this model that the server holds, and the one asked for."""
        name = full_name(ref)
        base = name.removesuffix(tag_of(name))
        with Server() as server:
            held = {full_name(each.name): each.digest for each in server.models()}
        tags = {name: held.get(name)} | {
            each: digest for each, digest in held.items() if each.startswith(base)
        }
        return [Revision(name=tag_of(each), kind="tag", commit=digest) for each, digest in tags.items()]

    def plan(
        self,
        ref: str,
        revision: str | None,
        include: list[str] | None,
        exclude: list[str] | None,
        options: BaseModel | None = None,
    ) -> FetchPlan:
        """What a pull would bring is known only while it runs: sizes are a guess, the commit comes "
        "at the end."""
        name = full_name(ref, revision)
        if [glob for glob in include or [] if glob != name] or exclude:
            raise Unsupported("Ollama pulls a model as a whole. Leave `include` and `exclude` out.")
        held = self._look(name)  # also: is there a server at all?
        return FetchPlan(
            source=self.name,
            ref=name,
            revision=tag_of(name),
            commit="",
            files=[],
            bytes_total=held.size,
            estimated=True,
            location="ollama",
        )

    def _look(self, name: str) -> Held:
        with Server() as server:
            server.version()
            try:
                return server.find(name)
            except NotFound:
                return Held(name=name)


def _item(held: Held) -> SearchItem:
    tags = [tag for tag in (held.family, held.parameter_size, held.quantization) if tag]
    return SearchItem(
        ref=full_name(held.name),
        name=held.name,
        description="On the Ollama server.",
        tags=tags,
        size=held.size,
        updated_at=held.modified_at,
    )


def _typed(text: str) -> str | None:
    try:
        return full_name(text.strip())
    except InvalidRef:
        return None


def _quoted(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[:400])
