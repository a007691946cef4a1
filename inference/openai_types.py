"""What the OpenAI dialect asks for, checked once: bodies of /v1/chat/completions and /v1/completions."""

from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

STOP_STRINGS_MAX = 16


class BadRequest(Exception):
    """The client's fault; becomes HTTP `status` with an error body in OpenAI's shape."""

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.param = param
        self.code = code
        self.status = status


class StreamOptions(BaseModel):
    include_usage: bool = False


class Generation(BaseModel):
    """What both endpoints share. None means: as the model's own generation settings say."""

    model: str | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=-1)
    min_p: float | None = Field(default=None, ge=0, le=1)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    repetition_penalty: float | None = Field(default=None, gt=0, le=5)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    max_tokens: int | None = Field(default=None, ge=1)
    stop: list[str] = Field(default=[], max_length=STOP_STRINGS_MAX)
    n: int | None = None
    logprobs: bool | int | None = None

    @field_validator("stop", mode="before")
    @classmethod
    def _stop_is_a_list(cls, value: Any) -> Any:
        if value is None:
            return []
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _refuse_what_we_cannot_do(self) -> "Generation":
        if self.n not in (None, 1):
            raise ValueError("n must be 1: this server gives one answer per request")
        if self.logprobs:
            raise ValueError("logprobs are not available on this server; leave them out")
        return self

    @property
    def include_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)


class TextPart(BaseModel):
    type: Literal["text"]
    text: str


class Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None

    def as_template_input(self) -> dict[str, str]:
        """Role and plain text, as chat templates expect them."""
        parts = self.content or ""
        text = parts if isinstance(parts, str) else "".join(part.text for part in parts)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class ChatRequest(Generation):
    messages: list[Message] = Field(min_length=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    tools: list[Any] | None = None
    response_format: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _plain_chat_only(self) -> "ChatRequest":
        if self.tools:
            raise ValueError("tools are not available on this server; leave them out")
        if self.response_format and self.response_format.get("type") != "text":
            raise ValueError("response_format is not available on this server; leave it out")
        return self

    @property
    def token_limit(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens


class CompletionRequest(Generation):
    prompt: str | list[int]
    echo: bool = False

    @field_validator("prompt", mode="before")
    @classmethod
    def _one_prompt(cls, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str | list):
            return value[0]
        if isinstance(value, list) and value and not isinstance(value[0], int):
            raise ValueError("one prompt per request, please: a string or a list of token ids")
        return value

    @property
    def token_limit(self) -> int | None:
        return self.max_tokens


def parse(kind: type[Generation], body: Any) -> Any:
    """A checked request, or `BadRequest` that names the first field that is wrong."""
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.", code="invalid_json")
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        text = f"Invalid value for '{where}': {message}." if where else f"{message}."
        raise BadRequest(text[0].upper() + text[1:], param=where or None, code="invalid_value") from None
