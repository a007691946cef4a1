"""Every setting of the hub: its environment name, default, unit and one sentence.

`docs/settings.md` and `.env.example` are held against this file by `tests/test_house.py`.
"""

import re
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from integrations.permitted import Permitted, usual_folders

VERSION = "0.1.0"


class Settings(BaseSettings):
    """Read once from the environment (and `.env`); a wrong one stops the hub with a sentence."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    home: Path = Field(
        Path("~/.modelhub"),
        alias="MODELHUB_HOME",
        description="Directory of all data: database, models, logs.",
    )
    host: str = Field("127.0.0.1", alias="MODELHUB_HOST", description="Address the web server listens on.")
    port: int = Field(
        5000, alias="MODELHUB_PORT", ge=1, le=65535, description="Port the web server listens on."
    )
    web_workers: int = Field(
        1,
        alias="MODELHUB_WEB_WORKERS",
        ge=1,
        le=64,
        description="Web processes; one serves hundreds of streams.",
    )
    worker_threads: int = Field(
        16,
        alias="MODELHUB_WORKER_THREADS",
        ge=1,
        le=256,
        description="Jobs a worker follows at the same time.",
    )
    admin_email: str = Field(
        "admin@localhost",
        alias="MODELHUB_ADMIN_EMAIL",
        max_length=254,
        description="E-mail of the administrator made at the first start.",
    )
    admin_password: str | None = Field(
        None,
        alias="MODELHUB_ADMIN_PASSWORD",
        min_length=8,
        max_length=1024,
        repr=False,
        description="Password of that administrator; generated and printed once when empty.",
    )
    database_url: str | None = Field(
        None,
        alias="DATABASE_URL",
        repr=False,
        description="SQLAlchemy or libpq URL; empty means SQLite in the data directory.",
    )
    redis_url: str | None = Field(
        None,
        alias="REDIS_URL",
        repr=False,
        description="Redis or Valkey; empty means the embedded one (set by the supervisor).",
    )
    hf_endpoint: str = Field(
        "https://huggingface.co", alias="HF_ENDPOINT", description="The Hugging Face Hub, or a mirror of it."
    )
    hf_token: str | None = Field(
        None, alias="HF_TOKEN", repr=False, description="Access token for private and gated models."
    )
    ollama_host: str = Field(
        "http://127.0.0.1:11434", alias="OLLAMA_HOST", description="The Ollama server to talk to."
    )
    docker_host: str | None = Field(
        None, alias="DOCKER_HOST", description="Docker engine; empty means the local socket."
    )
    public_url: str | None = Field(
        None,
        alias="MODELHUB_PUBLIC_URL",
        description="Address browsers use when it differs from host and port; https makes cookies Secure.",
    )
    cors_origins: list[str] = Field(
        [],
        alias="MODELHUB_CORS_ORIGINS",
        description="JSON list of further exact origins whose pages may call the API.",
    )
    allowed_hosts: list[str] = Field(
        [],
        alias="MODELHUB_ALLOWED_HOSTS",
        description="JSON list of host names to answer to, beside its own and that of the public address.",
    )
    trusted_proxies: int = Field(
        0,
        alias="MODELHUB_TRUSTED_PROXIES",
        ge=0,
        le=10,
        description="Reverse proxies in front whose X-Forwarded headers are believed; 0 believes none.",
    )
    https_only: bool = Field(
        False,
        alias="MODELHUB_HTTPS_ONLY",
        description="Send plain requests to https at the public address; refuse those with credentials.",
    )
    registration: bool = Field(
        False,
        alias="MODELHUB_REGISTRATION",
        description="Whether strangers may make an account for themselves.",
    )
    registration_role: str = Field(
        "user",
        alias="MODELHUB_REGISTRATION_ROLE",
        max_length=50,
        description="Role of who registers or comes in by single sign-on without a mapped group.",
    )
    default_visibility: Literal["private", "public"] = Field(
        "private",
        alias="MODELHUB_DEFAULT_VISIBILITY",
        description="Who sees a new model or deployment when its maker does not say: private or public.",
    )
    rate_limit: str = Field(
        "6000/minute",
        alias="MODELHUB_RATE_LIMIT",
        description="Requests of one user or key: `N/second`, `N/minute` or `N/hour`, `;` between several.",
    )
    rate_limit_anonymous: str = Field(
        "600/minute",
        alias="MODELHUB_RATE_LIMIT_ANONYMOUS",
        description="Requests from one address without a valid sign-in or key, written the same way.",
    )
    rate_limit_sign_in: str = Field(
        "30/minute",
        alias="MODELHUB_RATE_LIMIT_SIGN_IN",
        description="Attempts to sign in, register or use an invitation from one address.",
    )
    max_body: int = Field(
        16 * 1024**2,
        alias="MODELHUB_MAX_BODY",
        ge=1024,
        description="Bytes a request's JSON body may have.",
    )
    client_timeout: float = Field(
        30.0,
        alias="MODELHUB_CLIENT_TIMEOUT",
        ge=1,
        description="Seconds a client may take to send a request's headers, or the next part of its body.",
    )
    oidc_issuer: str | None = Field(
        None,
        alias="MODELHUB_OIDC_ISSUER",
        description="OpenID Connect issuer for single sign-on; empty means none.",
    )
    oidc_client_id: str | None = Field(
        None, alias="MODELHUB_OIDC_CLIENT_ID", description="This hub's client id at the issuer."
    )
    oidc_client_secret: str | None = Field(
        None, alias="MODELHUB_OIDC_CLIENT_SECRET", repr=False, description="And its secret there."
    )
    oidc_title: str = Field(
        "Single sign-on",
        alias="MODELHUB_OIDC_TITLE",
        max_length=60,
        description="What the button on the sign-in page says.",
    )
    oidc_scopes: str = Field(
        "openid email profile",
        alias="MODELHUB_OIDC_SCOPES",
        description="Scopes to ask for, separated by spaces.",
    )
    oidc_groups_claim: str = Field(
        "groups", alias="MODELHUB_OIDC_GROUPS_CLAIM", description="Claim that lists the user's groups."
    )
    oidc_roles: dict[str, str] = Field(
        {},
        alias="MODELHUB_OIDC_ROLES",
        description="JSON object of group to role; the first match counts, and decides at every sign-in.",
    )
    oidc_trust_email: bool = Field(
        False,
        alias="MODELHUB_OIDC_TRUST_EMAIL",
        description="Whether an e-mail counts as verified when the issuer does not say (Entra ID).",
    )
    outbound_origins: list[str] = Field(
        [],
        alias="MODELHUB_OUTBOUND_ORIGINS",
        description="JSON list of origins in private networks that users' addresses may lead to.",
    )
    url_largest: int = Field(
        200 * 1000**3,
        alias="MODELHUB_URL_LARGEST",
        ge=1,
        description="Bytes a file from a web address may have.",
    )
    folders: list[Path] | None = Field(
        None,
        alias="MODELHUB_FOLDERS",
        description="JSON list of folders models may be taken from; empty means this user's Hugging Face "
        "cache and Ollama store, `[]` none.",
    )
    upload_days: float = Field(
        7.0,
        alias="MODELHUB_UPLOAD_DAYS",
        gt=0,
        le=3650,
        description="Days an unfinished upload is kept after its last piece.",
    )
    mirror: list[str] = Field(
        [],
        alias="MODELHUB_MIRROR",
        description="JSON list of names (`*` for any part) that `/hf` brings from HF_ENDPOINT when asked.",
    )
    download_connections: int = Field(
        8, alias="MODELHUB_DOWNLOAD_CONNECTIONS", ge=1, le=64, description="Connections per download."
    )
    xet_bytes: int = Field(
        50_000_000_000,
        alias="MODELHUB_XET_BYTES",
        ge=0,
        description="Files of so many bytes come through the Hub's Xet storage, if they lie there; 0: never.",
    )
    update_check_hours: float = Field(
        24.0,
        alias="MODELHUB_UPDATE_CHECK_HOURS",
        ge=0,
        le=8760,
        description="Hours between two looks for a newer revision of a model; 0 never looks.",
    )
    storage: str | None = Field(
        None,
        alias="MODELHUB_STORAGE",
        pattern=r"^s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9](/[A-Za-z0-9._/\-]*)?$",
        description="Object storage of models, s3://bucket/prefix; empty means this disk alone.",
    )
    storage_endpoint: str | None = Field(
        None,
        alias="MODELHUB_STORAGE_ENDPOINT",
        pattern=r"^https?://\S+$",
        description="Address of an S3-compatible object storage; empty means AWS.",
    )
    storage_region: str | None = Field(
        None, alias="MODELHUB_STORAGE_REGION", description="Its region; empty means AWS's own setting."
    )
    storage_access_key: str | None = Field(
        None,
        alias="MODELHUB_STORAGE_ACCESS_KEY",
        repr=False,
        description="Access key of the object storage; empty means AWS's own variables and files.",
    )
    storage_secret_key: str | None = Field(
        None, alias="MODELHUB_STORAGE_SECRET_KEY", repr=False, description="And its secret."
    )
    clamav: str | None = Field(
        None,
        alias="MODELHUB_CLAMAV",
        description="ClamAV's daemon: path of its socket, or host:port; empty means no virus scanner.",
    )
    disk_reserve: int = Field(
        512 * 1024**2,
        alias="MODELHUB_DISK_RESERVE",
        ge=0,
        description="Bytes of disk that a download must leave free.",
    )
    lease_seconds: float = Field(
        10.0,
        alias="MODELHUB_LEASE_SECONDS",
        ge=1,
        le=600,
        description="Seconds until a silent worker loses its job.",
    )
    deploy_timeout: float = Field(
        600.0,
        alias="MODELHUB_DEPLOY_TIMEOUT",
        ge=5,
        description="Seconds a deployment may take to answer its first token.",
    )
    log_level: str = Field(
        "INFO",
        alias="MODELHUB_LOG_LEVEL",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="Least severity that is logged.",
    )
    log_json: bool = Field(
        False, alias="MODELHUB_LOG_JSON", description="Log one JSON object per line instead of readable text."
    )

    @field_validator("home", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("hf_endpoint", "ollama_host", "public_url", "oidc_issuer", mode="after")
    @classmethod
    def _no_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else value

    @field_validator("folders", mode="after")
    @classmethod
    def _whole_paths(cls, value: list[Path] | None) -> list[Path] | None:
        for path in value or ():
            if not path.expanduser().is_absolute():
                raise ValueError(f"'{str(path)[:100]}' is no whole path; write it from / or ~ on")
        return [path.expanduser().resolve() for path in value] if value is not None else None

    @field_validator("rate_limit", "rate_limit_anonymous", "rate_limit_sign_in", mode="after")
    @classmethod
    def _limits(cls, value: str) -> str:
        one = r"\s*[1-9][0-9]{0,8}/(second|minute|hour|day)\s*"
        if value.strip() and not re.fullmatch(rf"{one}(;{one})*", value):
            raise ValueError("write it like 100/minute, or several such separated by ';'")
        return value

    @field_validator("cors_origins", "outbound_origins", mode="after")
    @classmethod
    def _origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            if not re.fullmatch(r"https?://[A-Za-z0-9._\-\[\]:]+", origin.rstrip("/")):
                raise ValueError(f"'{origin[:100]}' is no origin; write https://host or https://host:port")
        return value

    @cached_property
    def permitted(self) -> Permitted:
        """What the integrations may reach beyond the internet."""
        folders = usual_folders() if self.folders is None else tuple(self.folders)
        return Permitted(tuple(self.outbound_origins), self.url_largest, folders, self.home)

    @cached_property
    def sqlalchemy_url(self) -> str:
        """SQLAlchemy's URL; `postgres://` and `postgresql://` mean the psycopg 3 driver."""
        url = self.database_url
        if not url:
            return f"sqlite:///{self.home / 'modelhub.db'}"
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url

    @cached_property
    def redis(self) -> str:
        """The Redis URL; without a supervisor, the socket where it would have put one."""
        return self.redis_url or f"unix://{self.run_dir / 'redis.sock'}?db=0"

    @cached_property
    def celery_broker(self) -> str:
        """Celery's spelling of the same URL (`redis+socket` for unix sockets)."""
        if not self.redis.startswith("unix://"):
            return self.redis
        path, _, query = self.redis.removeprefix("unix://").partition("?")
        database = dict(item.partition("=")[::2] for item in query.split("&")).get("db", "0")
        return f"redis+socket://{path}?virtual_host={database}"

    @cached_property
    def run_dir(self) -> Path:
        return self.home / "run"

    @cached_property
    def models_dir(self) -> Path:
        return self.home / "models"

    @cached_property
    def incoming_dir(self) -> Path:
        return self.home / "incoming"

    @cached_property
    def blobs_dir(self) -> Path:
        return self.home / "blobs"

    @cached_property
    def quarantine_dir(self) -> Path:
        return self.home / "quarantine"

    @cached_property
    def uploads_dir(self) -> Path:
        return self.home / "uploads"

    @cached_property
    def children_dir(self) -> Path:
        return self.run_dir / "children"

    @cached_property
    def secure_cookies(self) -> bool:
        return bool(self.public_url and self.public_url.startswith("https://"))

    def make_directories(self) -> None:
        """Create the data directory; private, since it holds keys and everybody's models."""
        folders = (self.models_dir, self.incoming_dir, self.blobs_dir, self.uploads_dir, self.quarantine_dir)
        for path in (self.home, self.run_dir, self.children_dir, *folders):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)


def explain(error: ValidationError) -> str:
    """One sentence per wrong setting, with the variable's name and never its value."""
    parts = [f"{'.'.join(map(str, item['loc']))}: {item['msg'].lower()}" for item in error.errors()]
    return "Wrong setting: " + "; ".join(parts) + ". See docs/settings.md."
