"""Ollama's dialect, as far as the hub speaks it. Fields it does not know are let pass, as Ollama does."""

from typing import Any

from pydantic import ConfigDict, Field, StrictBool

from api.schemas.base import Body, Out

Model = Field(min_length=1, max_length=200, description="Name of a deployment, with or without `:latest`.")


class Asked(Body):
    model_config = ConfigDict(extra="allow", str_max_length=None)


class OllamaAsk(Asked):
    """What chat and generate share."""

    model: str = Model
    stream: StrictBool | None = Field(default=None, description="Streamed unless false.")
    options: dict[str, Any] | None = Field(default=None, description="num_predict, temperature, top_p, …")
    format: str | dict[str, Any] | None = Field(default=None, description="`json`, or a JSON schema.")
    think: bool | str | None = None


class OllamaChatRequest(OllamaAsk):
    messages: list[dict[str, Any]] = Field(default=[], description="None: is the model there?")
    tools: list[Any] | None = None


class OllamaGenerateRequest(OllamaAsk):
    prompt: str | None = Field(default=None, description="None: is the model there?")
    suffix: str | None = None
    system: str | None = None
    raw: bool | None = Field(default=None, description="The prompt as it is, without the chat template.")
    images: list[str] | None = None


class OllamaShowRequest(Asked):
    model: str = Field(default="", max_length=200, description="Name of a deployment.")
    name: str = Field(default="", max_length=200, description="The same, as older clients call it.")


class OllamaVersion(Out):
    version: str


class OllamaDetails(Out):
    parent_model: str = ""
    format: str = ""
    family: str = ""
    families: list[str] | None = None
    parameter_size: str = ""
    quantization_level: str = ""


class OllamaTag(Out):
    name: str
    model: str
    modified_at: str
    size: int
    digest: str
    details: OllamaDetails


class OllamaTags(Out):
    models: list[OllamaTag]


class OllamaProcess(Out):
    name: str
    model: str
    size: int
    digest: str
    details: OllamaDetails
    expires_at: str
    size_vram: int
    context_length: int


class OllamaProcesses(Out):
    models: list[OllamaProcess]


class OllamaShow(Out):
    license: str = ""
    modelfile: str
    parameters: str = ""
    template: str
    details: OllamaDetails
    model_info: dict[str, Any]
    capabilities: list[str]
    modified_at: str


class OllamaAnswer(Out):
    """A whole answer; streamed, each line is one of these. Durations in nanoseconds."""

    model_config = ConfigDict(extra="allow")

    model: str
    created_at: str
    done: bool
