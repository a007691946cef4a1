"""What a stream says about itself, read off its bytes as they pass."""

import json
import re

from api.services.completions import Receipt
from integrations.providers.openai_compatible import usage_of
from integrations.providers.sse import data_of, event_at

_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_REASON = re.compile(rb'"finish_reason"\s*:\s*"([\w-]{1,50})"')
_SPOKE = re.compile(rb'"(?:content|text|reasoning_content|arguments)"\s*:\s*"[^"]')
TAIL = 4096
# A quote inside a JSON string is escaped, so none of these can match what a model says.


class Meter:
    """Looks at whole events on their way: time to the first token, finish reason, usage, and the end."""

    def __init__(self, receipt: Receipt, drop_usage: bool) -> None:
        self.receipt = receipt
        self.usage: dict[str, int] | None = None
        self.failed = False
        self.done = b""
        self._drop_usage = drop_usage
        self._spoke = False
        self._tail = b""

    @property
    def reason(self) -> str | None:
        """Why it ended: said in one of the last events, so only those are searched, once."""
        found = _REASON.findall(self._tail)
        return found[-1].decode() if found else None

    @property
    def ended(self) -> bool:
        return bool(self.done or self.failed or self.reason)

    def take(self, block: bytes) -> bytes:
        """What to pass on now. `[DONE]` is kept back until the record is written."""
        self._tail = block[-TAIL:] if len(block) >= TAIL else (self._tail + block)[-TAIL:]
        if not self._spoke and _SPOKE.search(block):
            self._spoke = True
            self.receipt.spoke()
        if found := _USAGE.search(block):
            block = self._metered(block, found.start())
        if block.endswith((b"[DONE]\n\n", b"[DONE]\r\n\r\n")):
            at = block.rfind(b"data:")
            self.done, block = block[at:], block[:at]
        if b'data: {"error"' in block:
            self.failed = True
        return block

    def _metered(self, block: bytes, at: int) -> bytes:
        """Note the usage told at `at`; drop its event if it says nothing else and nobody asked."""
        begin, end = event_at(block, at)
        try:
            chunk = json.loads(data_of(block[begin:end].strip()))
            self.usage = usage_of(chunk) or self.usage
            extra = self._drop_usage and not chunk.get("choices")
        except (ValueError, AttributeError):
            extra = False
        rest = block[end:]
        if found := _USAGE.search(rest):
            rest = self._metered(rest, found.start())
        return block[:begin] + rest if extra else block[:end] + rest
