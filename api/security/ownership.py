"""Whose things one may see and change: conditions for the query itself, so that no route can forget them.

See: one's own, what is public, what is shared with one's team, or everything with `all.read`. Change: one's
own, what is shared with a team one manages, or everything with `all.write`. Somebody else's thing that one
may not see does not exist (404); one that may be seen and not changed is forbidden (403).
"""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, false, or_, select, true

from api.errors import Forbidden, Invalid, Missing
from api.extensions import db
from api.models import Deployment, Team
from api.models.base import Owned
from api.security.authorise import Identity

Row = TypeVar("Row")


def visible(table: Any, who: Identity) -> ColumnElement[bool]:
    """The condition for the rows of `table` that `who` may see."""
    allowed = _allowed(table, who)
    if who.may("all.read"):
        return allowed
    ways: list[ColumnElement[bool]] = [table.user_id == who.user_id]
    if issubclass(table, Owned):
        ways.append(table.visibility == "public")
        if who.teams:
            ways.append(and_(table.visibility == "team", table.team_id.in_(who.teams)))
    return and_(allowed, or_(*ways))


def may_see(row: Any, who: Identity) -> bool:
    """The same for one `Owned` row at hand (or what was remembered of it: id and `Owned`'s columns)."""
    if who.deployments is not None and row.id not in who.deployments:
        return False
    if who.may("all.read") or row.user_id == who.user_id or row.visibility == "public":
        return True
    return row.visibility == "team" and row.team_id in who.teams


def may_change(row: Any, who: Identity) -> bool:
    if who.may("all.write") or row.user_id == who.user_id:
        return True
    return isinstance(row, Owned) and row.visibility == "team" and row.team_id in who.manages


def seen(table: type[Row], id: str, who: Identity, missing: str) -> Row:
    """The row `id` if `who` may see it; `Missing` with the sentence `missing` otherwise."""
    if "\0" in id:  # PostgreSQL takes no such text
        raise Missing(missing)
    found: Any = db.session.scalar(select(table).where(table.id == id, visible(table, who)))  # type: ignore
    if found is None:
        raise Missing(missing)
    answer: Row = found
    return answer


def changeable(table: type[Row], id: str, who: Identity, missing: str) -> Row:
    """The same, if `who` may change it too; `Forbidden` when it may only be seen."""
    found = seen(table, id, who, missing)
    if not may_change(found, who):
        raise Forbidden("This belongs to somebody else; you may see it, not change it. Ask its owner.")
    return found


def share(row: Any, visibility: str, team_id: str | None, who: Identity) -> None:
    """Set who else sees `row`. A team must be one's own, and `public` needs its permission."""
    if visibility == "team":
        if team_id is None or db.session.get(Team, team_id) is None:
            raise Invalid("Sharing with a team needs its `team_id`. `modelhub teams` lists them.")
        if team_id not in who.teams and not who.may("all.write"):
            raise Forbidden("You are not in this team. Share with one of yours.")
    elif team_id is not None:
        raise Invalid("A `team_id` belongs to the visibility `team` only.")
    if visibility == "public" and not who.may("share.public") and row.visibility != "public":
        raise Forbidden("Your role does not include sharing with everybody ('share.public').")
    row.visibility, row.team_id = visibility, team_id


def audience(row: Any) -> list[str]:
    """The rooms whose listeners may see `row`: the mirror of `rooms_of`."""
    rooms = ["may:all.read"]
    if row.user_id:
        rooms.append(f"user:{row.user_id}")
    if isinstance(row, Owned):
        if row.visibility == "public":
            rooms.append("public")
        elif row.visibility == "team" and row.team_id:
            rooms.append(f"team:{row.team_id}")
    return rooms


def rooms_of(who: Identity) -> list[str]:
    """The rooms `who` listens in to hear of everything they may see."""
    if who.deployments is not None:
        return sorted(who.deployments)
    if who.may("all.read"):
        return ["may:all.read"]
    return [f"user:{who.user_id}", "public", *(f"team:{team}" for team in sorted(who.teams))]


def _allowed(table: Any, who: Identity) -> ColumnElement[bool]:
    """A key that is limited to some deployments sees no other."""
    if who.deployments is None or table is not Deployment:
        return true()
    return Deployment.id.in_(who.deployments) if who.deployments else false()
