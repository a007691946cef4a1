"""users, roles, teams, keys, audit; an owner and a visibility for everything

Revision: 0002, after 0001. Made 2026-11-20 13:23:21.159060.
"""

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('audit_entries',
    sa.Column('seq', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_kind', sa.String(length=20), nullable=False),
    sa.Column('actor_id', sa.String(length=32), nullable=True),
    sa.Column('actor_name', sa.String(length=254), nullable=False),
    sa.Column('key_id', sa.String(length=32), nullable=True),
    sa.Column('action', sa.String(length=60), nullable=False),
    sa.Column('object_type', sa.String(length=40), nullable=True),
    sa.Column('object_id', sa.String(length=64), nullable=True),
    sa.Column('object_name', sa.String(length=300), nullable=False),
    sa.Column('result', sa.String(length=10), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=True),
    sa.Column('user_agent', sa.String(length=300), nullable=False),
    sa.Column('request_id', sa.String(length=64), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('previous', sa.Text(), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_audit_entries'))
    )
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_entries_action'), ['action'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_entries_actor_id'), ['actor_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_entries_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_entries_object_id'), ['object_id'], unique=False)

    op.create_table('lockouts',
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('value', sa.String(length=254), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('last_failed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('locked_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lockouts'))
    )
    with op.batch_alter_table('lockouts', schema=None) as batch_op:
        batch_op.create_index('ix_lockouts_kind_value', ['kind', 'value'], unique=True)

    op.create_table('roles',
    sa.Column('name', sa.String(length=50), nullable=False),
    sa.Column('title', sa.String(length=100), nullable=False),
    sa.Column('description', sa.String(length=500), nullable=False),
    sa.Column('builtin', sa.Boolean(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roles')),
    sa.UniqueConstraint('name', name=op.f('uq_roles_name'))
    )
    op.create_table('teams',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('description', sa.String(length=500), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_teams')),
    sa.UniqueConstraint('name', name=op.f('uq_teams_name'))
    )
    op.create_table('role_permissions',
    sa.Column('role_id', sa.String(length=32), nullable=False),
    sa.Column('permission', sa.String(length=50), nullable=False),
    sa.ForeignKeyConstraint(['role_id'], ['roles.id'], name=op.f('fk_role_permissions_role_id_roles'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('role_id', 'permission', name=op.f('pk_role_permissions'))
    )
    op.create_table('api_keys',
    sa.Column('user_id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('prefix', sa.String(length=12), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('scopes', sa.JSON(), nullable=False),
    sa.Column('deployments', sa.JSON(), nullable=True),
    sa.Column('requests_per_minute', sa.Integer(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_used_from', sa.String(length=64), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_api_keys_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_keys')),
    sa.UniqueConstraint('key_hash', name=op.f('uq_api_keys_key_hash'))
    )
    with op.batch_alter_table('api_keys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_keys_user_id'), ['user_id'], unique=False)

    op.create_table('invites',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=True),
    sa.Column('role', sa.String(length=50), nullable=False),
    sa.Column('teams', sa.JSON(), nullable=False),
    sa.Column('user_id', sa.String(length=32), nullable=True),
    sa.Column('created_by', sa.String(length=32), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['users.id'], name=op.f('fk_invites_created_by_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_invites_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invites')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_invites_token_hash'))
    )
    op.create_table('team_members',
    sa.Column('team_id', sa.String(length=32), nullable=False),
    sa.Column('user_id', sa.String(length=32), nullable=False),
    sa.Column('manager', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], name=op.f('fk_team_members_team_id_teams'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_team_members_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('team_id', 'user_id', name=op.f('pk_team_members'))
    )
    with op.batch_alter_table('team_members', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_team_members_user_id'), ['user_id'], unique=False)

    op.create_table('user_sessions',
    sa.Column('user_id', sa.String(length=32), nullable=False),
    sa.Column('method', sa.String(length=20), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=True),
    sa.Column('user_agent', sa.String(length=300), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_because', sa.String(length=40), nullable=True),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_user_sessions_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user_sessions'))
    )
    with op.batch_alter_table('user_sessions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_user_sessions_user_id'), ['user_id'], unique=False)

    _add_builtin_roles()
    _own("deployments")
    _own("downloads")
    with op.batch_alter_table("jobs") as batch_op:
        batch_op.add_column(sa.Column("user_id", sa.String(length=32), nullable=True))
        batch_op.create_index("ix_jobs_user_id", ["user_id"])
        batch_op.create_foreign_key("fk_jobs_user_id_users", "users", ["user_id"], ["id"], ondelete="SET NULL")
    with op.batch_alter_table("models") as batch_op:
        batch_op.add_column(sa.Column("user_id", sa.String(length=32), nullable=True))
        batch_op.create_foreign_key(
            "fk_models_user_id_users", "users", ["user_id"], ["id"], ondelete="SET NULL"
        )
    _own("models")
    for table in ("downloads", "deployments"):
        op.execute(
            f"UPDATE jobs SET user_id = (SELECT user_id FROM {table} WHERE {table}.id = jobs.object_id) "
            f"WHERE object_id IN (SELECT id FROM {table})"
        )
    op.execute(
        "UPDATE models SET user_id = (SELECT MAX(user_id) FROM downloads WHERE downloads.model_id = models.id)"
    )
    _sessions_from_refresh_tokens()
    with op.batch_alter_table("users") as batch_op:
        batch_op.add_column(sa.Column("provisional", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("sso_subject", sa.String(length=600), nullable=True))
        batch_op.add_column(sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=True))
        batch_op.alter_column("password_hash", existing_type=sa.String(length=300), nullable=True)
        batch_op.create_unique_constraint("uq_users_sso_subject", ["sso_subject"])
        batch_op.create_foreign_key("fk_users_role_roles", "roles", ["role"], ["name"])
    op.execute(sa.text("UPDATE users SET provisional = :no, updated_at = created_at, version = 1").bindparams(no=False))
    with op.batch_alter_table("users") as batch_op:
        batch_op.alter_column("provisional", existing_type=sa.Boolean(), nullable=False)
        batch_op.alter_column("updated_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        batch_op.alter_column("version", existing_type=sa.Integer(), nullable=False)


def _own(table):
    """Until now everybody who could sign in saw everything: what is there stays public."""
    with op.batch_alter_table(table) as batch_op:
        batch_op.add_column(sa.Column("visibility", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("team_id", sa.String(length=32), nullable=True))
        batch_op.create_index(f"ix_{table}_team_id", ["team_id"])
        batch_op.create_index(f"ix_{table}_user_id", ["user_id"])
        batch_op.create_foreign_key(
            f"fk_{table}_team_id_teams", "teams", ["team_id"], ["id"], ondelete="SET NULL"
        )
    op.execute(f"UPDATE {table} SET visibility = 'public'")
    with op.batch_alter_table(table) as batch_op:
        batch_op.alter_column("visibility", existing_type=sa.String(length=10), nullable=False)


def _add_builtin_roles():
    viewer = {"models.read", "downloads.read", "deployments.read", "jobs.read"}
    user = viewer | {"models.write", "downloads.write", "deployments.write", "jobs.write", "chat.use", "keys.use"}
    operator = user | {"system.read", "share.public", "all.read", "all.write", "users.read"}
    admin = operator | {"teams.manage", "users.manage", "roles.manage", "audit.read"}
    roles = {
        "viewer": ("Viewer", "Sees what is shared, changes nothing.", viewer),
        "user": ("User", "Brings in models, deploys them and chats; sees what is shared.", user),
        "operator": ("Operator", "Runs the hub's models for everybody.", operator),
        "admin": ("Administrator", "May do everything.", admin),
    }
    role = sa.table(
        "roles", *map(sa.column, ("id", "name", "title", "description", "builtin", "version")),
        sa.column("created_at", sa.DateTime(timezone=True)), sa.column("updated_at", sa.DateTime(timezone=True)),
    )  # fmt: skip
    permission = sa.table("role_permissions", sa.column("role_id"), sa.column("permission"))
    now = datetime.now(UTC)
    for name, (title, description, permissions) in roles.items():
        id = uuid.uuid4().hex
        row = {"id": id, "name": name, "title": title, "description": description, "builtin": True, "version": 1}
        op.bulk_insert(role, [row | {"created_at": now, "updated_at": now}])
        op.bulk_insert(permission, [{"role_id": id, "permission": each} for each in sorted(permissions)])


def _sessions_from_refresh_tokens():
    """Who is signed in stays signed in: a family of tokens becomes a session."""
    op.execute(
        "INSERT INTO user_sessions "
        "(id, user_id, method, user_agent, last_seen_at, expires_at, created_at, ended_at) "
        "SELECT family, MAX(user_id), 'password', '', MAX(created_at), MAX(expires_at), MIN(created_at), "
        "MAX(revoked_at) FROM refresh_tokens GROUP BY family"
    )
    with op.batch_alter_table("refresh_tokens") as batch_op:
        batch_op.add_column(sa.Column("session_id", sa.String(length=32), nullable=True))
    op.execute("UPDATE refresh_tokens SET session_id = family")
    with op.batch_alter_table("refresh_tokens") as batch_op:
        batch_op.drop_index("ix_refresh_tokens_family")
        batch_op.drop_index("ix_refresh_tokens_user_id")
        batch_op.drop_constraint("fk_refresh_tokens_user_id_users", type_="foreignkey")
        for column in ("user_id", "family", "expires_at", "revoked_at"):
            batch_op.drop_column(column)
        batch_op.alter_column("session_id", existing_type=sa.String(length=32), nullable=False)
        batch_op.create_index("ix_refresh_tokens_session_id", ["session_id"])
        batch_op.create_foreign_key(
            "fk_refresh_tokens_session_id_user_sessions", "user_sessions", ["session_id"], ["id"], ondelete="CASCADE"
        )


def downgrade():
    raise NotImplementedError("Going back would forget who may see what. Restore a backup instead.")
