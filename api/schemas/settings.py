"""What is set while the hub runs: how fast it downloads, how many at once, and when."""

from typing import Literal, Self

from pydantic import Field, model_validator

from api.schemas.base import Body, Out, Timestamp

LEAST_RATE = 1024
"""Bytes per second; less would look like a stall to everybody."""

Rate = Field(default=None, ge=LEAST_RATE, le=1 << 40, description="Bytes per second; null: no limit.")
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class Hours(Body):
    """The part of the day in which downloads run freely, in the hub's time zone; it may span midnight."""

    begin: str = Field(pattern=CLOCK, examples=["22:00"])
    end: str = Field(pattern=CLOCK, examples=["06:00"])
    outside: Literal["hold", "slow"] = Field(
        default="hold",
        description="Outside these hours: hold downloads in the queue, or slow them to `rate`.",
    )
    rate: int | None = Rate

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.begin == self.end:
            raise ValueError("begin and end are the same; leave the hours away for no limit")
        if (self.outside == "slow") != (self.rate is not None):
            raise ValueError("`rate` belongs to `outside: slow`, and is needed there")
        return self


class TransferSettings(Body):
    """Setting them replaces all of them; what is left out gets its default."""

    rate: int | None = Rate
    parallel: int = Field(default=4, ge=1, le=64, description="Downloads at the same time.")
    connections: int | None = Field(
        default=None,
        ge=1,
        le=32,
        description="Connections per download; null: MODELHUB_DOWNLOAD_CONNECTIONS.",
    )
    hours: Hours | None = Field(default=None, description="Null: downloads run at any time.")


class TransferNow(Out):
    """What holds at this moment."""

    rate: int | None = None
    held: bool = Field(description="It is outside the hours, and downloads wait for them.")
    until: Timestamp | None = Field(default=None, description="When the hours begin or end next.")


class TransferSettingsOut(TransferSettings):
    time_zone: str = Field(description="The hub's, in which the hours are meant.")
    now: TransferNow
