"""How often one may ask: per user, per key, and per address for whoever shows no valid credential.

One trip to Redis for a request: sliding windows of `limits`, the library below Flask-Limiter, whose own hooks
took 527 µs where a hit takes 150. While Redis is away every process counts for itself: nobody is refused for
that, and nobody is unlimited. A credential that was over its limit is remembered for a second in the process,
so a flood costs neither Redis nor the database anything.

The local token is not counted: whoever holds it owns the data directory.
"""

import ipaddress
import math
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request
from limits import RateLimitItem, RateLimitItemPerMinute, parse_many
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from api.config import Settings
from api.errors import Forbidden, TooMany, Unauthenticated
from api.extensions import settings
from api.security.authorise import Identity, authorise_request
from api.security.permissions import Permission

log = structlog.get_logger(__name__)

SIGN_IN = frozenset(
    f"/api/v1/auth/{name}" for name in ("login", "register", "join", "join/look", "sso/start", "sso/callback")
)
EXEMPT = frozenset({"/healthz", "/readyz", "/metrics"})
COUNTED = ("/api/v1/", "/v1/", "/hf/", "/ollama/")
"""Where also an address without a contract (a 404, the API's description) costs the asking address a hit."""

REDIS_SECONDS = 0.5
"""What one hit may wait for Redis before the process counts for itself."""
AWAY_SECONDS = 2.0
"""How long it then does so before it asks Redis again."""
REMEMBERED_SECONDS = 1.0
GOOD_SECONDS = 900.0
"""A credential seen valid this recently is looked at even while its address may not try new ones."""
EVENTS_PER_SECOND, EVENTS_AT_ONCE = 20.0, 200.0
"""Of one socket: a console that opens subscribes to many things at once."""
_MOST = 10_000


@dataclass
class Counter:
    """Sliding windows in Redis, or in this process while Redis does not answer."""

    shared: RateLimiter
    alone: RateLimiter
    away_until: float = 0.0

    @classmethod
    def of(cls, chosen: Settings) -> "Counter":
        url = chosen.redis.replace("unix://", "redis+unix://", 1)
        redis: Storage = RedisStorage(
            url,
            key_prefix="modelhub:limits",
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 1),  # type: ignore[arg-type] # a connection that lay idle may be closed
        )
        return cls(SlidingWindowCounterRateLimiter(redis), MovingWindowRateLimiter(MemoryStorage()))

    def hit(self, item: RateLimitItem, who: str) -> float | None:
        """Count one; None when it is within the limit, else the seconds until it is worth trying again."""
        now = time.monotonic()
        if now >= self.away_until:
            try:
                over = _hit(self.shared, item, who)
            except RedisError as error:
                if not self.away_until:
                    log.warning("limits are counted in this process: Redis does not answer", error=str(error))
                self.away_until = now + AWAY_SECONDS
            else:
                self.away_until = 0.0
                return over
        return _hit(self.alone, item, who)


def _hit(limiter: RateLimiter, item: RateLimitItem, who: str) -> float | None:
    if limiter.hit(item, who):
        return None
    return max(0.0, limiter.get_window_stats(item, who).reset_time - time.time())


@dataclass
class Limits:
    """The limits of one application, and what it remembers of who was over or within them."""

    counter: Counter
    everyone: list[RateLimitItem]
    anonymous: list[RateLimitItem]
    sign_in: list[RateLimitItem]
    over: dict[Any, tuple[float, TooMany]] = field(default_factory=dict)
    suspects: dict[str, float] = field(default_factory=dict)
    good: dict[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, chosen: Settings) -> "Limits":
        return cls(
            Counter.of(chosen),
            parsed(chosen.rate_limit),
            parsed(chosen.rate_limit_anonymous),
            parsed(chosen.rate_limit_sign_in),
        )

    def count(self, items: list[RateLimitItem], who: str, whose: str) -> None:
        """`TooMany` when one of these limits is used up. `whose` ends the sentence that says so."""
        for item in items:
            seconds = self.counter.hit(item, who)
            if seconds is not None:
                retry = max(1, math.ceil(seconds))
                g.rate_limited = item.amount, item.get_expiry(), retry
                raise TooMany(
                    f"More than {item.amount} requests in {_span(item)} {whose}. "
                    f"Wait {retry} second{'' if retry == 1 else 's'}, then go on more slowly.",
                    retry_after=retry,
                    details={"limit": item.amount, "seconds": item.get_expiry()},
                )

    def count_address(self, address: str) -> None:
        try:
            self.count(
                self.anonymous, f"address:{address}", "from your address without a valid sign-in or key"
            )
        except TooMany:
            _remember(self.suspects, address, time.monotonic() + max(i.get_expiry() for i in self.anonymous))
            raise

    def count_identity(self, identity: Identity) -> None:
        if identity.kind == "machine":
            return
        if identity.kind == "key" and identity.requests_per_minute:
            own = [_per_minute(identity.requests_per_minute)]
            self.count(own, f"key:{identity.credential}", "with this API key")
        self.count(self.everyone, f"user:{identity.user_id}", "from you and your API keys")

    def refuse_again(self, carrier: int) -> None:
        """Whoever was over the limit within the last second is told so again, for nothing."""
        known = self.over.get(carrier)
        if known is None:
            return
        until, error = known
        if time.monotonic() < until:
            g.rate_limited = error.details["limit"], error.details["seconds"], error.details["retry_after"]
            raise TooMany(
                str(error), retry_after=error.details["retry_after"], details=error.details
            )  # a new one: raised again and again, the old one's traceback would grow
        self.over.pop(carrier, None)

    def may_guess(self, address: str, carrier: int) -> bool:
        """Whether a credential from this address is looked at without being counted first."""
        if not self.suspects:
            return True
        now = time.monotonic()
        return self.suspects.get(address, 0) < now or self.good.get(carrier, 0) > now


def register(app: Flask) -> None:
    """Count the requests of `app`."""
    with app.app_context():
        app.extensions["modelhub_limits"] = Limits.of(settings())
    app.before_request(_count_the_rest)
    app.after_request(_name_limit)


def admit(permission: Permission) -> None:
    """`authorise_request`, counted: for its user or key what is valid, for its address the rest."""
    limits: Limits | None = current_app.extensions.get("modelhub_limits")
    if limits is None:
        authorise_request(permission)
    elif permission == "public":
        _count_public(limits)
        authorise_request(permission)
    else:
        _count_private(limits, permission)


def _count_public(limits: Limits) -> None:
    rule = request.url_rule.rule if request.url_rule else ""
    if rule in SIGN_IN:
        limits.count(limits.sign_in, f"sign-in:{_address()}", "to sign in from your address")
    elif rule not in EXEMPT:
        limits.count_address(_address())


def _count_private(limits: Limits, permission: Permission) -> None:
    # The process's own hash, seeded at random: what is remembered of a credential is of no use to anybody.
    carrier = hash((request.headers.get("Authorization"), request.headers.get("X-API-Key")))
    limits.refuse_again(carrier)
    address = _address()
    counted = not limits.may_guess(address, carrier)
    if counted:
        limits.count_address(
            address
        )  # before the credential is looked at: a guess may not learn that it is right
    try:
        authorise_request(permission)
    except Unauthenticated:
        if not counted:
            limits.count_address(address)
        raise
    except Forbidden:
        _count_known(limits, carrier)
        raise
    _count_known(limits, carrier)


def _count_known(limits: Limits, carrier: int) -> None:
    now = time.monotonic()
    _remember(limits.good, carrier, now + GOOD_SECONDS)
    try:
        limits.count_identity(g.identity)
    except TooMany as error:
        _remember(limits.over, carrier, (now + REMEMBERED_SECONDS, error))
        raise


def _count_the_rest() -> None:
    """What has no contract and still makes work: the API's description, addresses that are none."""
    limits: Limits = current_app.extensions["modelhub_limits"]
    if request.path.startswith(COUNTED) and (request.url_rule is None or request.endpoint == "openapi"):
        limits.count_address(_address())


def _name_limit(response: Response) -> Response:
    if response.status_code == 429 and "rate_limited" in g:
        limit, seconds, retry = g.rate_limited
        response.headers["RateLimit-Limit"] = str(limit)
        response.headers["RateLimit-Remaining"] = "0"
        response.headers["RateLimit-Reset"] = str(retry)
        response.headers["RateLimit-Policy"] = f"{limit};w={seconds}"
    return response


_buckets: dict[str, tuple[float, float]] = {}


def allow_event(identity: Identity) -> None:
    """Count one event of the socket that is being served; `TooMany` when it sends more than it may."""
    if identity.kind == "machine":
        return
    now = time.monotonic()
    socket = getattr(request, "sid", None) or identity.credential
    left, since = _buckets.get(socket, (EVENTS_AT_ONCE, now))
    left = min(EVENTS_AT_ONCE, left + (now - since) * EVENTS_PER_SECOND)
    if left < 1:
        raise TooMany("This socket sends more events than it may. Wait a second, then go on.", retry_after=1)
    _remember(_buckets, socket, (left - 1, now))


def parsed(text: str) -> list[RateLimitItem]:
    """`100/minute;10/second` as limits, the shortest first; an empty text is none. (`Settings` checks it.)"""
    return sorted(parse_many(text), key=lambda item: item.get_expiry()) if text.strip() else []


@lru_cache(maxsize=256)
def _per_minute(amount: int) -> RateLimitItem:
    return RateLimitItemPerMinute(amount)


def _span(item: RateLimitItem) -> str:
    name = item.GRANULARITY.name
    return f"a {name}" if item.multiples == 1 else f"{item.multiples} {name}s"


def _address() -> str:
    return _network(request.remote_addr or "")


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    """The address to count: of IPv6 its first half, since everybody has a whole network of the other."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False).network_address)
    return str(ip)


def _remember(where: dict[Any, Any], key: Any, value: Any) -> None:
    if len(where) >= _MOST:
        where.clear()
    where[key] = value
