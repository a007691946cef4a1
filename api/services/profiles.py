"""Who one is and what one may, as the console shows it."""

from sqlalchemy import select

from api.errors import Unauthenticated
from api.extensions import db
from api.models import Team, User
from api.schemas.auth import Profile, TeamMembership
from api.security.authorise import Identity


def profile(who: Identity) -> Profile:
    """The user behind this session, key or machine; `permissions` are those of what was shown, not more."""
    user = db.session.get(User, who.owner_id)
    if user is None:
        raise Unauthenticated("This account is gone. Sign in with another.")
    teams = db.session.execute(select(Team.id, Team.name).where(Team.id.in_(who.teams)).order_by(Team.name))
    return Profile.model_validate(user).model_copy(
        update={
            "permissions": sorted(who.permissions),
            "teams": [TeamMembership(id=t.id, name=t.name, manager=t.id in who.manages) for t in teams],
            "set_up": user.provisional,
            "has_password": user.password_hash is not None,
        }
    )
