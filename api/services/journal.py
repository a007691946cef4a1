"""The text of an answer while it is written: an append-only stream in Redis, addressed by character offset.

The entry that ends at character `n` has the id `n-0`, so "everything after offset `n`" is one range read, and
the mark of the end is `n-1`. An append names the length it builds on and its owner: a writer that slept, or
whose message went through although the answer was lost, can neither leave a gap nor write anything twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from api.errors import StaleFence
from api.extensions import settings

KEEP_SECONDS = 24 * 3600
ALIVE_SECONDS = 15
"""A writer on another machine that was silent for this long is held to be dead."""

_APPEND = """
local owner = redis.call('GET', KEYS[2])
if owner and owner ~= ARGV[1] then return -1 end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local length = 0
if #last > 0 then length = tonumber(string.match(last[1][1], '^%d+')) end
if length == tonumber(ARGV[2]) then
  redis.call('XADD', KEYS[1], ARGV[3] .. '-0', 't', ARGV[4], 'ms', ARGV[5])
  length = tonumber(ARGV[3])
end
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[6])
return length
"""

_TAKE = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[2] and string.sub(owner, 1, #ARGV[3]) ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[4])
return 1
"""


@dataclass(frozen=True)
class Entry:
    """`offset` is the length of the answer after `text`; `end` marks that nothing follows."""

    offset: int
    text: str
    end: bool = False


@lru_cache(maxsize=8)
def _client(url: str) -> "redis.Redis":
    # No patience here: a writer buffers, and a reader waits in a loop of its own. Each waiting reader holds a
    # connection, and redis-py allows 100 unless told otherwise.
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=1,
        socket_timeout=5,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 1),
        max_connections=10_000,
    )


def _redis() -> Any:
    return _client(settings().redis)


def append(message_id: str, owner: str, start: int, text: str, ms: int) -> int:
    """Write `text` after character `start`; the journal's length now (less than asked: send from there).

    `StaleFence` when another writer has taken over. `redis.RedisError` when Redis is away.
    """
    length = int(
        _redis().eval(
            _APPEND, 2, _key(message_id), _key(message_id, "owner"),
            owner, start, start + len(text), text, ms, KEEP_SECONDS,
        )
    )  # fmt: skip
    if length < 0:
        raise StaleFence("Another process has taken over this answer.")
    return length


def finish(message_id: str, length: int) -> None:
    """Mark the end, after the row has been committed."""
    pipe = _redis().pipeline(transaction=False)
    pipe.xadd(_key(message_id), {"end": "1"}, id=f"{length}-1")
    pipe.expire(_key(message_id), KEEP_SECONDS)
    pipe.delete(_key(message_id, "owner"), _key(message_id, "alive"), _key(message_id, "stop"))
    pipe.execute(raise_on_error=False)


def read(message_id: str, after: int, wait_ms: int) -> list[Entry]:
    """Entries that end behind character `after`, waiting up to `wait_ms` for the first."""
    answer = _redis().xread({_key(message_id): f"{after}-0"}, count=1000, block=wait_ms)
    found = answer.values() if isinstance(answer, dict) else (entries for _, entries in answer or [])
    return [_entry(item) for entries in found for item in _flat(entries)]


def text(message_id: str) -> tuple[str, int | None]:
    """All text so far, and the milliseconds to its first piece."""
    parts, first = [], None
    for id, fields in _redis().xrange(_key(message_id)):
        if b"t" in fields:
            first = int(fields[b"ms"]) if first is None else first
            parts.append(_entry((id, fields)).text)
    return "".join(parts), first


def owner(message_id: str) -> tuple[str | None, bool]:
    """Who writes it, and whether they gave a sign of life lately."""
    value, alive = _redis().mget(_key(message_id, "owner"), _key(message_id, "alive"))
    return (value.decode() if value else None), bool(alive)


def take(message_id: str, mine: str, expected: str, family: str) -> bool:
    """Become the owner, if nobody is, or `expected`, or one whose name begins with `family`."""
    return bool(_redis().eval(_TAKE, 1, _key(message_id, "owner"), mine, expected, family, KEEP_SECONDS))


def signs_of_life(message_ids: list[str]) -> list[bool]:
    """Tell that these are being written; for each, whether somebody asked to stop it."""
    pipe = _redis().pipeline(transaction=False)
    for id in message_ids:
        pipe.set(_key(id, "alive"), 1, ex=ALIVE_SECONDS)
        pipe.get(_key(id, "stop"))
    return [bool(value) for value in pipe.execute()[1::2]]


def ask_to_stop(message_id: str) -> None:
    """Leave a word for whichever process writes it."""
    _redis().set(_key(message_id, "stop"), 1, ex=600)


def asked_to_stop(message_id: str) -> bool:
    return bool(_redis().get(_key(message_id, "stop")))


def _key(message_id: str, part: str = "") -> str:
    return f"gen:{message_id}:{part}" if part else f"gen:{message_id}"


def _flat(entries: Any) -> Iterator[Any]:
    """redis-py gives one list per stream, or (RESP3) a list of such lists."""
    for item in entries:
        if isinstance(item, list):
            yield from item
        else:
            yield item


def _entry(item: tuple[bytes, dict[bytes, bytes]]) -> Entry:
    id, fields = item
    offset = int(id.partition(b"-")[0])
    return Entry(offset, fields.get(b"t", b"").decode(), end=b"end" in fields)
