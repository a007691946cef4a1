"""One row of each kind of thing, made for whoever should own it."""

from datetime import timedelta
from typing import Any

from api.extensions import db, settings
from api.models import (
    ApiKey,
    ChatMessage,
    ChatSession,
    Deployment,
    Download,
    HubModel,
    Invite,
    Job,
    Lockout,
    ModelVersion,
    QuarantinedFile,
    Role,
    Team,
    TeamMember,
    Upload,
    User,
    UserSession,
)
from api.models.base import new_id, utcnow
from api.security.authorise import hash_token
from api.unit_of_work import unit_of_work

PLAN: dict[str, Any] = {
    "source": "starter", "ref": "x", "revision": "main", "commit": "0" * 40, "files": [], "bytes_total": 0,
}  # fmt: skip


def _add(row: Any) -> Any:
    db.session.add(row)
    db.session.flush()
    return row


def _model(user_id: str | None, **shared: Any) -> HubModel:
    id = new_id()
    values = {"name": f"org/{id}", "source": "starter", "ref": id, "revision": "main"} | shared
    return HubModel(id=id, commit="0" * 40, path=id, user_id=user_id, active_version_id=id, **values)


def model(user_id: str | None, **shared: Any) -> str:
    """A model with its one version, which has the same id."""
    row = _add(_model(user_id, **shared))
    return version(row.id, id=row.id)


def version(model_id: str, **columns: Any) -> str:
    values = {"id": new_id(), "revision": "main", "commit": "0" * 40, "files": [], "size": 0} | columns
    return str(_add(ModelVersion(model_id=model_id, path=values["id"], **values)).id)


def quarantined(user_id: str | None, **shared: Any) -> str:
    of = _add(_model(user_id, **shared))
    columns = {"revision": "main", "commit": "0" * 40, "path": of.id, "files": [], "warnings": []}
    version = _add(ModelVersion(id=of.id, model_id=of.id, **columns))
    held = settings().quarantine_dir / version.id
    row = _add(QuarantinedFile(version_id=version.id, path="weights.bin", size=4, findings=[]))
    held.mkdir(parents=True)
    (held / row.id).write_bytes(b"held")
    return str(row.id)


def deployment(user_id: str | None, **shared: Any) -> str:
    on = db.session.get_one(HubModel, model(user_id))
    status = {"wanted": "stopped", "status": "stopped"} | shared
    return str(_add(Deployment(name=on.id, model_id=on.id, runtime="process", user_id=user_id, **status)).id)


def job(user_id: str | None, **columns: Any) -> str:
    return str(_add(Job(kind="test", user_id=user_id, object_id="none", **columns)).id)


def download(user_id: str | None, state: str = "paused", **shared: Any) -> str:
    work = _add(Job(kind="download", user_id=user_id, state=state))
    row = _add(Download(
        job_id=work.id, source="starter", ref="x", revision="main", commit="0" * 40, plan=PLAN,
        plan_key=work.id, user_id=user_id, **shared,
    ))  # fmt: skip
    work.object_id = row.id
    return str(row.id)


def upload(user_id: str | None, **shared: Any) -> str:
    files = [{"path": "x.gguf", "size": 1, "sha256": None}]
    ends = utcnow() + timedelta(days=1)
    row = Upload(name=new_id(), files=files, size=1, expires_at=ends, user_id=user_id, **shared)
    return str(_add(row).id)


def chat(user_id: str | None, **shared: Any) -> str:
    return str(_add(ChatSession(
        user_id=user_id, deployment_id=deployment(user_id, **shared), deployment_name="d", title="t"
    )).id)  # fmt: skip


def message(user_id: str | None) -> str:
    row = ChatMessage(session_id=chat(user_id), role="assistant", content="Hello", status="complete")
    return str(_add(row).id)


def team(*members: str, manager: str | None = None) -> str:
    row = _add(Team(name=new_id()))
    row.members = [TeamMember(user_id=each) for each in members if each != manager]
    if manager:
        row.members.append(TeamMember(user_id=manager, manager=True))
    db.session.flush()
    return str(row.id)


def user(_owner: str | None) -> str:
    return str(_add(User(email=f"{new_id()}@example.org", role="viewer")).id)


def role(_owner: str | None) -> str:
    return str(_add(Role(name=f"r{new_id()}", title="A role")).name)


def session(user_id: str | None) -> str:
    now = utcnow()
    return str(_add(UserSession(user_id=user_id, last_seen_at=now, expires_at=now + timedelta(days=1))).id)


def key(user_id: str | None) -> str:
    return str(_add(ApiKey(user_id=user_id, name="k", prefix="mh_x", key_hash=new_id(), scopes=[])).id)


def api_key(user_id: str, scopes: list[str], **columns: Any) -> str:
    """A committed API key; its text."""
    text = f"mh_{new_id()}"
    with unit_of_work():
        _add(ApiKey(
            user_id=user_id, name="k", prefix=text[:10], key_hash=hash_token(text), scopes=scopes, **columns
        ))  # fmt: skip
    return text


def invite(_owner: str | None) -> str:
    ends = utcnow() + timedelta(days=1)
    return str(_add(Invite(token_hash=new_id(), role="viewer", expires_at=ends)).id)


def lockout(_owner: str | None) -> str:
    return str(_add(Lockout(kind="account", value=new_id(), failures=9, last_failed_at=utcnow())).id)


def make(kind: str, user_id: str | None, **shared: Any) -> str:
    """A committed thing of this kind; its id."""
    with unit_of_work():
        made: str = globals()[kind](user_id, **shared)
    return made
