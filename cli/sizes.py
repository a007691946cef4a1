"""Amounts a person types: `20MB`, `1.5 GiB/s`, `none`."""

import re
from typing import Any

import click

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 1024, "mi": 1024**2, "gi": 1024**3}
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmg]i?)?b?(?:/s)?", re.IGNORECASE)
NONE = ("none", "off", "unlimited")


class Rate(click.ParamType):
    """Bytes per second, 0 for `none`: no limit."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if value.strip().lower() in NONE:
            return 0
        found = _AMOUNT.fullmatch(value.strip())
        if found is None:
            self.fail(f"'{value}' is no speed. Write it like 20MB, 500k or none.", param, ctx)
        return int(float(found[1]) * _UNITS[(found[2] or "").lower()])


class Count(click.ParamType):
    """A number of parameters: `7B`, `500M`, `1.5B`."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmbt]?)", value.strip().lower())
        if found is None:
            self.fail(f"'{value}' is no number of parameters. Write it like 7B or 500M.", param, ctx)
        return round(float(found[1]) * {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}[found[2]])


RATE = Rate()
COUNT = Count()
