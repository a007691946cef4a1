"""What can be allowed. Every route and socket event names one of these; roles in the database grant them.

`.read` is to see, `.write` to make and change. Both reach one's own things and what is shared; `all.read`
and `all.write` reach everybody's, as far as the other permissions go.
"""

from typing import Literal, get_args

Permission = Literal[
    "public",
    "signed_in",
    "models.read",
    "models.write",
    "downloads.read",
    "downloads.write",
    "deployments.read",
    "deployments.write",
    "chat.use",
    "jobs.read",
    "jobs.write",
    "folders.use",
    "ollama.manage",
    "settings.manage",
    "intake.release",
    "system.read",
    "keys.use",
    "share.public",
    "all.read",
    "all.write",
    "teams.manage",
    "users.read",
    "users.manage",
    "roles.manage",
    "audit.read",
]

ALL: frozenset[str] = frozenset(get_args(Permission))
GRANTABLE: frozenset[str] = ALL - {"public", "signed_in"}
"""What a role may contain: `public` and `signed_in` need no granting."""

NEVER_FOR_KEYS: frozenset[str] = frozenset({"keys.use", "users.manage", "roles.manage"})
"""What a program's key can never do, whatever its owner may: make further keys, users or roles."""

DESCRIPTIONS: dict[str, str] = {
    "models.read": "See models and search for them",
    "models.write": "Change and delete models",
    "downloads.read": "See downloads",
    "downloads.write": "Bring models in",
    "deployments.read": "See deployments and their logs",
    "deployments.write": "Deploy, start, stop and delete",
    "chat.use": "Chat, and ask deployments through /v1 and /ollama",
    "jobs.read": "See background jobs",
    "jobs.write": "Cancel and retry background jobs",
    "folders.use": "Bring in models from folders of the hub's machine",
    "ollama.manage": "Copy, create and delete models on the Ollama server",
    "settings.manage": "Change the hub's settings: speed, hours and order of downloads",
    "intake.release": "Decide what happens to files in quarantine",
    "system.read": "See the machine and the hub's parts",
    "keys.use": "Make API keys of one's own",
    "share.public": "Share with everybody who can sign in",
    "all.read": "See everybody's things",
    "all.write": "Change everybody's things",
    "teams.manage": "Make teams and say who is in them",
    "users.read": "See who uses the hub",
    "users.manage": "Invite, change, lock out and remove users",
    "roles.manage": "Make and change roles",
    "audit.read": "Read, verify and export the audit log",
}

_VIEWER = {"models.read", "downloads.read", "deployments.read", "jobs.read"}
_USER = _VIEWER | {
    "models.write",
    "downloads.write",
    "deployments.write",
    "jobs.write",
    "chat.use",
    "keys.use",
}
_OPERATOR = _USER | {
    "system.read",
    "share.public",
    "all.read",
    "all.write",
    "users.read",
    "folders.use",
    "ollama.manage",
    "settings.manage",
}

BUILTIN: dict[str, tuple[str, str, frozenset[str]]] = {
    "viewer": ("Viewer", "Sees what is shared, changes nothing.", frozenset(_VIEWER)),
    "user": ("User", "Brings in models, deploys them and chats; sees what is shared.", frozenset(_USER)),
    "operator": ("Operator", "Runs the hub's models for everybody.", frozenset(_OPERATOR)),
    "admin": ("Administrator", "May do everything.", GRANTABLE),
}
"""The roles a hub starts with: name → title, description, permissions. The administrator holds all."""
