"""The OpenAI dialect, as far as the hub looks at it. Every other field goes to the engine as it is."""

from typing import Any

from pydantic import ConfigDict, Field, StrictBool

from api.schemas.base import Body, Out


class ChatCompletionRequest(Body):
    model_config = ConfigDict(extra="allow", str_max_length=None)

    model: str = Field(min_length=1, max_length=200, description="Name of a deployment; see `/v1/models`.")
    messages: list[dict[str, Any]] = Field(
        min_length=1, description="A last one from the assistant is continued."
    )
    stream: StrictBool | None = None


class CompletionRequest(Body):
    model_config = ConfigDict(extra="allow", str_max_length=None)

    model: str = Field(min_length=1, max_length=200, description="Name of a deployment; see `/v1/models`.")
    prompt: str | list[Any]
    stream: StrictBool | None = None


class ModelEntry(Out):
    id: str
    object: str = "model"
    created: int = Field(description="Unix seconds.")
    owned_by: str = "modelhub"


class ModelList(Out):
    object: str = "list"
    data: list[ModelEntry]


class Completion(Out):
    """OpenAI's completion object, as the engine made it."""

    model_config = ConfigDict(extra="allow")

    id: str = ""
    object: str = ""
    choices: list[dict[str, Any]] = []
    usage: dict[str, Any] | None = None
