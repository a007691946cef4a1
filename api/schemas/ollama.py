"""The Ollama server: what it holds, and what it is asked to make."""

from typing import Annotated, Any

from pydantic import Field, field_validator

from api.schemas.base import Body, ErrorInfo, Out, Timestamp

Name = Annotated[str, Field(min_length=1, max_length=300)]


class OllamaModel(Out):
    name: str
    digest: str = Field(description="Of its manifest: what tells two builds of one name apart.")
    size: int = Field(description="Bytes on the server's disk.")
    modified_at: Timestamp | None = None
    family: str | None = None
    parameter_size: str | None = None
    quantization: str | None = None
    model_id: str | None = Field(default=None, description="The library's entry for it, if one may see it.")


class OllamaLoaded(Out):
    name: str
    size: int = Field(description="Bytes in memory.")
    size_vram: int = Field(description="Of these, bytes on the GPU.")
    context_length: int | None = None
    expires_at: Timestamp | None = None


class OllamaStatus(Out):
    host: str
    reachable: bool
    version: str | None = None
    error: ErrorInfo | None = Field(default=None, description="Why it cannot be reached.")
    warnings: list[str] = []
    models: list[OllamaModel] = []
    running: list[OllamaLoaded] = []


class OllamaModelShown(Out):
    name: str
    format: str | None = None
    family: str | None = None
    parameter_size: str | None = None
    quantization: str | None = None
    parent: str | None = None
    parameters: int | None = Field(default=None, description="Number of weights.")
    context_length: int | None = None
    capabilities: list[str] = []
    license: str = ""
    template: str = ""
    settings: str = Field(default="", description="Its parameters, one a line.")
    modelfile: str = ""
    modified_at: Timestamp | None = None


class OllamaCopy(Body):
    to: Name = Field(description="The second name.")


class OllamaCreate(Body):
    name: Name = Field(description="What it is called on the server.")
    model_id: str = Field(min_length=1, max_length=64, description="A model or adapter of the library.")
    file: str | None = Field(
        default=None, max_length=1000, description="Which GGUF, when the model has several."
    )
    base: str | None = Field(
        default=None, max_length=300, description="For an adapter: its base model on the Ollama server."
    )
    template: str | None = Field(default=None, max_length=100_000, description="In Go's template language.")
    system: str | None = Field(default=None, max_length=100_000)
    parameters: dict[str, Any] | None = Field(default=None, examples=[{"temperature": 0.7, "stop": ["###"]}])
    license: str | None = Field(default=None, max_length=200_000)

    @field_validator("parameters")
    @classmethod
    def _few_and_small(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        for name, setting in (value or {}).items():
            plain = setting if isinstance(setting, list) else [setting]
            if len(name) > 64 or not all(isinstance(each, str | int | float | bool) for each in plain):
                raise ValueError("each parameter is a text, a number, true or false, or a list of these")
        return value


class ModelDeletion(Body):
    on_server: bool = Field(
        default=False,
        description="For a model that an Ollama server keeps: delete it there too (needs `ollama.manage`).",
    )
