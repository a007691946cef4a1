"""One's own account: the first administrator's, a stranger's who may register, and what its owner changes."""

from sqlalchemy import func, select

from api.config import Settings
from api.errors import Conflict, Forbidden, Unavailable
from api.extensions import db, settings
from api.models import Role, User
from api.schemas.auth import PasswordChange, Profile, ProfileChange, Registration, SignInOptions
from api.security import audit, passwords
from api.security.authorise import Identity, forget, look_again
from api.services import lockouts, sessions
from api.services.profiles import profile
from api.services.sessions import Caller, Opened
from api.services.user_rules import hold, normal_email, refuse_taken, rename, set_password, wrong
from api.unit_of_work import exclusive, unit_of_work


def create_first_admin(settings: Settings) -> tuple[str, str | None] | None:
    """Make the administrator when there is no user yet. Returns (e-mail, password if it was generated)."""
    if db.session.scalar(select(func.count()).select_from(User)):
        return None
    password = settings.admin_password or passwords.generate()
    password_hash = passwords.hash_password(password)
    with unit_of_work():
        exclusive("first-admin")
        if db.session.scalar(select(func.count()).select_from(User)):
            return None
        user = User(
            email=settings.admin_email.strip().lower(),
            name="Administrator",
            role="admin",
            password_hash=password_hash,
            # Made up by us, or one of those that are tried first: its owner is asked for a better one.
            provisional=not settings.admin_password or passwords.is_common(password),
        )
        db.session.add(user)
        db.session.flush()
        audit.note("user.create", user, actor=(None, "first start"), role="admin")
    return user.email, None if settings.admin_password else password


def options() -> SignInOptions:
    """What somebody who is not signed in may try."""
    return SignInOptions(
        registration=settings().registration,
        sso=bool(settings().oidc_issuer and settings().oidc_client_id),
        sso_title=settings().oidc_title,
    )


def register(body: Registration, caller: Caller) -> Opened:
    """A stranger makes an account, where the hub's settings allow it, and is signed in."""
    if not settings().registration:
        raise Forbidden("This hub takes no registrations. Ask an administrator for an invitation.")
    email = normal_email(body.email)
    passwords.check_rules(body.password, email)
    password_hash = passwords.hash_password(body.password)
    with unit_of_work() as after_commit:
        hold()
        role = settings().registration_role
        if db.session.scalar(select(Role.id).where(Role.name == role)) is None:
            raise Unavailable(
                f"There is no role '{role}' for new users. An administrator sets MODELHUB_REGISTRATION_ROLE."
            )
        refuse_taken(email)
        user = User(email=email, name=body.name.strip(), role=role, password_hash=password_hash)
        db.session.add(user)
        db.session.flush()
        audit.note("user.create", user, actor=(user.id, user.name or email), role=role, how="registration")
        begun = sessions.begin(after_commit, user, caller, "password")
    return sessions.opened(begun)


def change_profile(body: ProfileChange, who: Identity) -> Profile:
    """One's own name and e-mail."""
    sessions.only_people(who)
    with unit_of_work() as after_commit:
        hold()
        user = db.session.get_one(User, who.owner_id)
        if changed := rename(user, body.email, body.name):
            user.version += 1
            audit.note("user.change", user, changed=changed)
        after_commit(forget)
    return profile(look_again(who))


def change_password(body: PasswordChange, who: Identity, caller: Caller) -> None:
    """Replace one's password. Every other session of the account ends, and open reset links die with it."""
    sessions.only_people(who)
    user = db.session.get_one(User, who.owner_id)
    email, old_hash = user.email, user.password_hash
    db.session.rollback()
    if old_hash is None:
        raise Conflict(
            "This account has no password: it signs in elsewhere. An administrator can send a link."
        )
    about = lockouts.subjects(email, caller.address)
    lockouts.check(about)
    passwords.check_rules(body.new, email, field="new")
    good = passwords.verify(old_hash, body.current)
    if good and body.new == body.current:
        raise wrong("new", "This is the password you have. Choose another.")
    new_hash = passwords.hash_password(body.new) if good else ""
    with unit_of_work() as after_commit:
        lockouts.hold(about)
        locked = lockouts.seconds_left(about)
        user = db.session.get_one(User, who.owner_id, with_for_update={"key_share": True})
        good = good and user.password_hash == old_hash and not locked
        if good:
            lockouts.clear_account(email)
            set_password(user, new_hash)
            sessions.end_all(after_commit, user.id, "password", keep=who.credential)
            audit.note("user.password", user)
        else:
            lockouts.count(about)
            audit.note("user.password", user, result="failed")
    if locked:
        raise lockouts.refusal(locked)
    if not good:
        raise wrong("current", "The current password is not right. Try again.")
