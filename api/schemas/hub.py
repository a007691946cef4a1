"""What the Hugging Face Hub's clients ask; they send more than is answered here, and that is passed over."""

from pydantic import ConfigDict, Field, field_validator

from api.schemas.base import Body


class _Lenient(Body):
    model_config = ConfigDict(extra="ignore", str_max_length=20_000)


class HubModelsQuery(_Lenient):
    search: str = Field(default="", max_length=500)
    author: str = Field(default="", max_length=200)
    limit: int = Field(default=100, ge=1, le=10_000)
    cursor: str | None = Field(default=None, max_length=64)
    filter: list[str] = Field(default=[], max_length=20)
    pipeline_tag: str = Field(default="", max_length=200)
    sort: str = Field(default="", max_length=40)

    @field_validator("filter", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class HubTreeQuery(_Lenient):
    recursive: bool = False
    limit: int = Field(default=1000, ge=1, le=1000)
    cursor: int = Field(default=0, ge=0, le=10_000_000)


class HubPaths(_Lenient):
    paths: list[str] = Field(max_length=10_000)

    @field_validator("paths", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value
