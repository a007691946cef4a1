"""The two addresses of single sign-on that browsers visit."""

from pydantic import ConfigDict, Field

from api.schemas.base import Body


class StartQuery(Body):
    next: str = Field(default="/", max_length=2000, description="Page of the console to come back to.")


class CallbackQuery(Body):
    """What an issuer sends along beside these (`session_state`, `iss`, …) is not looked at."""

    model_config = ConfigDict(extra="ignore")

    state: str = Field(default="", max_length=500)
    code: str = Field(default="", max_length=4000)
    error: str = Field(default="", max_length=500)
