"""What is set while the hub runs. One row for each name; its schema says what may be in it."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from api.extensions import db
from api.models import HubSetting
from api.security import audit
from api.security.authorise import Identity

T = TypeVar("T", bound=BaseModel)


def read(name: str, schema: type[T]) -> T:
    """The setting, or its defaults: also when an older hub wrote what this one does not understand."""
    row = db.session.get(HubSetting, name)
    if row is not None:
        try:
            return schema.model_validate(row.value)
        except ValidationError:
            pass
    return schema()


def write(name: str, value: BaseModel, who: Identity) -> None:
    """Inside a unit of work: from now on it is `value`. Audited with what it was before."""
    row = db.session.get(HubSetting, name)
    if row is None:
        row = HubSetting(name=name)
        db.session.add(row)
    before, row.value, row.updated_by = row.value, value.model_dump(mode="json"), who.user_id
    audit.note("settings.change", ("setting", name, name), before=before or {}, after=row.value)
