"""Teams: who is in them, who manages them, and what is shared with them.

A manager may change the members and the description of his team. Who manages, and what a team is called,
says `teams.manage`: nobody makes himself more.
"""

from typing import Any

from sqlalchemy import or_, select, update

from api.errors import Conflict, Forbidden, Missing
from api.extensions import db
from api.models import Deployment, Download, HubModel, Team, TeamMember, User
from api.models.base import utcnow
from api.schemas.access import MemberOut, MemberRequest, TeamChange, TeamOut, TeamRequest
from api.schemas.base import Page, PageQuery
from api.security import audit
from api.security.authorise import Identity, forget
from api.services.paging import page
from api.unit_of_work import exclusive, unit_of_work

SHARED = (HubModel, Deployment, Download)


def list_teams(query: PageQuery, who: Identity) -> Page[TeamOut]:
    """One's own teams; all of them for who manages teams or sees everything. Newest first."""
    statement = select(Team)
    if not _sees_all(who):
        statement = statement.where(Team.id.in_(who.teams))
    return page(statement, Team.id, limit=query.limit, after=query.after, shape=_shape)


def get(team_id: str, who: Identity) -> TeamOut:
    return _shape(_seen(team_id, who))


def create(body: TeamRequest) -> TeamOut:
    with unit_of_work():
        exclusive("teams")
        _free(body.name)
        row = Team(name=body.name, description=body.description)
        db.session.add(row)
        db.session.flush()
        audit.note("team.create", row, description=body.description)
        return _shape(row)


def change(team_id: str, body: TeamChange, who: Identity) -> TeamOut:
    with unit_of_work():
        exclusive("teams")
        row = _managed(team_id, who)
        before = {"name": row.name, "description": row.description}
        if body.name is not None and body.name != row.name:
            _only_with(who, "Only who may manage teams ('teams.manage') can rename one.")
            _free(body.name, row.id)
            row.name = body.name
        row.description = body.description if body.description is not None else row.description
        after = {"name": row.name, "description": row.description}
        if after != before:
            _changed(row)
            audit.note("team.change", row, before=before, after=after)
        return _shape(row)


def delete(team_id: str) -> None:
    """What was shared with the team becomes private to its owners, in the same transaction."""
    with unit_of_work() as after_commit:
        exclusive("teams")
        row = _find(team_id, lock=True)
        made_private: dict[str, list[str]] = {}
        for table in SHARED:
            mine = select(table.id).where(table.team_id == team_id)  # type: ignore[attr-defined]
            ids = list(db.session.scalars(mine))
            if ids:
                made_private[table.__tablename__] = ids
                _make_private(table, team_id)
        members = [member.user_id for member in row.members]
        audit.note("team.delete", row, members=members, made_private=made_private)
        db.session.delete(row)
        after_commit(forget)


def put_member(team_id: str, user: str, body: MemberRequest, who: Identity) -> TeamOut:
    """Add a user (by id or e-mail), or say whether he manages. Acts at once."""
    with unit_of_work() as after_commit:
        exclusive("teams")
        row = _managed(team_id, who)
        person = _user(user)
        member = next((each for each in row.members if each.user_id == person.id), None)
        if body.manager != (member.manager if member else False):
            _only_with(who, "Only who may manage teams ('teams.manage') says who manages one.")
        if member is None:
            row.members.append(TeamMember(user_id=person.id, manager=body.manager))
            audit.note("team.member.add", row, user_id=person.id, email=person.email, manager=body.manager)
            _changed(row)
        elif member.manager != body.manager:
            before, member.manager = member.manager, body.manager
            details: dict[str, Any] = {"before": {"manager": before}, "after": {"manager": body.manager}}
            audit.note("team.member.change", row, user_id=person.id, email=person.email, **details)
            _changed(row)
        db.session.flush()
        after_commit(forget)
        return _shape(row)


def remove_member(team_id: str, user: str, who: Identity) -> TeamOut:
    """Acts at once: what is shared with the team is out of his sight with the next request."""
    with unit_of_work() as after_commit:
        exclusive("teams")
        row = _managed(team_id, who)
        person = _user(user)
        member = next((each for each in row.members if each.user_id == person.id), None)
        if member is None:
            raise Missing(f"{person.email} is not in the team '{row.name}'.")
        if member.manager and person.id != who.user_id:
            _only_with(who, "Only who may manage teams ('teams.manage') can remove a manager.")
        row.members.remove(member)
        details: dict[str, Any] = {"user_id": person.id, "email": person.email, "manager": member.manager}
        audit.note("team.member.remove", row, **details)
        _changed(row)
        db.session.flush()
        after_commit(forget)
        return _shape(row)


def _make_private(table: Any, team_id: str) -> None:
    values: dict[str, Any] = {"visibility": "private", "team_id": None}
    if hasattr(table, "version"):
        values |= {"version": table.version + 1, "updated_at": utcnow()}
    db.session.execute(update(table).where(table.team_id == team_id).values(**values))


def _sees_all(who: Identity) -> bool:
    return who.may("teams.manage") or who.may("all.read")


def _manages(team_id: str, who: Identity) -> bool:
    # A key has scopes: that its owner manages a team is no scope of the key.
    return who.may("teams.manage") or (team_id in who.manages and who.kind != "key")


def _only_with(who: Identity, sentence: str) -> None:
    if not who.may("teams.manage"):
        raise Forbidden(sentence, details={"permission": "teams.manage"})


def _managed(team_id: str, who: Identity) -> Team:
    """The team, locked, if this actor may change it; 404 when he may not even see it."""
    row = _seen(team_id, who, lock=True)
    if not _manages(row.id, who):
        raise Forbidden("You do not manage this team. Ask one of its managers, or an administrator.")
    return row


def _seen(team_id: str, who: Identity, *, lock: bool = False) -> Team:
    row = _find(team_id, lock=lock) if _sees_all(who) or team_id in who.teams else None
    if row is None:
        raise _missing(team_id)
    return row


def _find(team_id: str, *, lock: bool = False) -> Team:
    statement = select(Team).where(Team.id == team_id)
    row = None if "\0" in team_id else db.session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        raise _missing(team_id)
    return row


def _missing(team_id: str) -> Missing:
    return Missing(f"There is no team {team_id[:64]}. `modelhub teams` lists yours.")


def _user(user: str) -> User:
    fits = or_(User.id == user, User.email == user.strip().lower())
    # Held until the commit: somebody who is being removed cannot become a member at the same moment.
    row = None if "\0" in user else db.session.scalar(select(User).where(fits).with_for_update(read=True))
    if row is None:
        raise Missing("There is no such user. Give an id or the e-mail somebody signs in with.")
    return row


def _free(name: str, but: str | None = None) -> None:
    # Compared here: SQLite's lower() knows only ASCII, and `Équipe` and `équipe` are one name to people.
    for id, taken in db.session.execute(select(Team.id, Team.name)):
        if id != but and taken.casefold() == name.casefold():
            raise Conflict(f"A team is already called '{taken}'. Choose another name.")


def _changed(row: Team) -> None:
    row.version, row.updated_at = row.version + 1, utcnow()


def _shape(row: Team) -> TeamOut:
    ids = [member.user_id for member in row.members]
    found = db.session.scalars(select(User).where(User.id.in_(ids))).all()
    manages = {member.user_id: member.manager for member in row.members}
    members = [
        MemberOut(user_id=user.id, name=user.name, email=user.email, manager=manages[user.id])
        for user in found
    ]
    members.sort(key=lambda member: (not member.manager, member.name.lower(), member.email))
    fields = {name: getattr(row, name) for name in ("id", "name", "description", "created_at", "version")}
    return TeamOut(**fields, members=members)
