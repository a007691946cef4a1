"""What is secret does not reach logs, error texts or rows, by value, by name and by shape; prose does."""

import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from api.config import Settings
from api.errors import AppError, describe
from api.logs import configure
from integrations.errors import Unreachable
from integrations.redaction import HIDDEN, names_secret, redact, redact_all
from supervisor.logs import LogBook
from tests.support.hub_process import ROOT

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
FERNET = "gAAAAABnPq0cX1y2Z3a4b5c6d7e8f9g0h1i2j3k4l5m6n7=="


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key mh_Zk3vQe8Tq5xR7yU9wP1 was refused", "Zk3vQe8Tq5xR7yU9wP1"),
        ("mhl_abcdefghijklmnopqrstuv", "abcdefghijklmnopqrstuv"),
        ("cookie mh_refresh=mhr_abcdefghijklmnop-_12; Path=/", "abcdefghijklmnop-_12"),
        ("/join#mhi_abcdefghijklmnop", "abcdefghijklmnop"),
        ("HF said: hf_AbCdEfGhIjKl0123 is not valid", "AbCdEfGhIjKl0123"),
        ("sk-proj-AbCdEf012345678", "AbCdEf012345678"),
        ("ghp_0123456789abcdefABCDEF", "0123456789abcdefABCDEF"),
        (f"token {JWT}.", JWT),
        (f"half of one: {JWT[:25]}", JWT[2:25]),
        (f"sealed {FERNET}", FERNET),
        ("Authorization: Bearer abc123def456", "abc123def456"),
        ("authorization: basic dXNlcjpodW50ZXIy", "dXNlcjpodW50ZXIy"),
        ("Basic QWxhZGRpbjpvcGVu", "QWxhZGRpbjpvcGVu"),
        ("postgresql://hub:hunter2@db:5432/hub", "hunter2"),
        ("redis://:hunter2@cache/0", "hunter2"),
        ("https://user:p%40ss:w@mirror.example/x", "p%40ss"),
        ("password=hunter2&next=/", "hunter2"),
        ("GET /x?access_token=hunter2", "hunter2"),
        ("client_secret='two words'", "two words"),
        ('{"password": "hunter \\" 2", "email": "a"}', "hunter"),
        ("{'api_key': 'hunter2'}", "hunter2"),
        ('{\\"token\\": \\"hunter2\\"}', "hunter2"),
        ('cut off: "secret": "hunter2', "hunter2"),
        ("X-Api-Key:hunter2", "hunter2"),
        ("host=db password = hunter2 dbname=x", "hunter2"),
    ],
)
def test_secrets_are_known_by_their_shape(text: str, secret: str) -> None:
    assert secret not in redact(text) and HIDDEN in redact(text)
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Sign in first: send `Authorization: Bearer <access token or API key>`.",
        "password: String should have at least 8 characters",
        "max_tokens=512 prompt_tokens: 12 tokens=3",
        "Bearer authentication and Basic authentication are refused",
        "The token in HF_TOKEN may not read 'org/model'. Give it read access, or use another.",
        "hf_transfer and hf_hub_offline and sk-learn-something-long are words",
        "downloaded https://host:8080/path and redis://localhost:6379/0",
        "the model is at models/0193/model-00001-of-00002.safetensors",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_names_say_what_is_secret() -> None:
    assert all(
        map(names_secret, ("password", "HF_TOKEN", "client_secret", "Authorization", "apiKey", "cookie"))
    )
    assert not any(
        map(names_secret, ("max_tokens", "prompt_tokens", "tokenizer", "keys", "passed", "author"))
    )
    hidden = redact_all({"a": [{"new_password": "x"}], "tokens_per_second": 3, "b": ("mh_" + "a" * 20, None)})
    assert hidden == {"a": [{"new_password": HIDDEN}], "tokens_per_second": 3, "b": ["mh_" + HIDDEN, None]}


def test_hostile_lines_take_no_time() -> None:
    for piece in (
        '"token":',
        "password=",
        "a-",
        "eyJ",
        "a://b:",
        "Bearer ",
        "Basic aA",
        "'",
        "\\",
        "token='",
    ):
        redact(piece * (200_000 // len(piece)))


_LOGGING = """
import logging, structlog
from api.config import Settings
from api.logs import configure
configure(Settings(MODELHUB_ADMIN_PASSWORD="plain words", DATABASE_URL="postgresql://u:db+word@h/d",
    REDIS_URL="redis://:redisword@h/0", HF_TOKEN="unshaped", MODELHUB_OIDC_CLIENT_SECRET="oidcword",
    MODELHUB_LOG_JSON={json}, _env_file=None))
log, std = structlog.get_logger(), logging.getLogger("celery.app.trace")
log.info("said plain words", token="t0p", headers={{"Authorization": "Bearer xyz12345", "n": ["unshaped"]}})
std.warning("connect %s failed: %s", "redis://:redisword@h/0", "db+word")
try:
    password = "oidcword"
    raise ValueError("upstream said oidcword, plain words")
except ValueError:
    log.exception("failed", url="https://u:inurl@h/", about=b"unshaped")
    std.exception("task failed with unshaped")
"""


@pytest.mark.parametrize("as_json", [False, True])
def test_nothing_secret_leaves_by_the_log(as_json: bool, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _LOGGING.format(json=as_json)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    said = ended.stdout + ended.stderr
    for secret in ("plain words", "db+word", "redisword", "unshaped", "oidcword", "t0p", "xyz12345", "inurl"):
        assert secret not in said, said
    assert said.count("ValueError: upstream said [redacted], [redacted]") == 2 and "celery" not in said[:50]
    if as_json:
        assert len([json.loads(line) for line in said.splitlines()]) == 4


@pytest.fixture
def own_logging():  # type: ignore[no-untyped-def]
    """Logging as it was, afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_an_answer_hides_tokens_but_confirms_no_guessed_password(own_logging: None) -> None:
    configure(
        Settings(MODELHUB_ADMIN_PASSWORD="open sesame", HF_TOKEN="a-mirror's-own-token", _env_file=None)
    )
    said = describe(Unreachable("refused a-mirror's-own-token", details={"cause": ["mh_" + "k" * 43]}))
    assert said["message"] == "refused [redacted]" and said["details"] == {"cause": ["mh_[redacted]"]}
    # Hidden, it would tell who guessed that the guess was right.
    assert describe(AppError("There is no model 'open sesame'."))["message"].count("open sesame") == 1


def test_the_supervisor_looks_through_what_the_parts_say(tmp_path: Path) -> None:
    screen = io.StringIO()
    book = LogBook(tmp_path, ["web"], screen)
    lines = book.feed("web", 1, b'{"admin_password": "needed by the supervisor"}\nBearer abcdef123456\n')
    assert "needed by the supervisor" in lines[0], "read as it is, hidden when it is written"
    book.say("web", lines)
    book.hub("postgresql://hub:hunter2@h/d")
    book.close()
    written = (tmp_path / "web.log").read_text() + (tmp_path / "hub.log").read_text() + screen.getvalue()
    for secret in ("needed by", "abcdef123456", "hunter2"):
        assert secret not in written
    assert written.count("Bearer [redacted]") == 2
