"""versions and blobs of models, room on the disk, order and reasons in the ledger, uploads, quarantine, settings

Revision: 0003, after 0002. Made 2026-11-27 03:33:57.270304.
"""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('blobs',
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('git_sha1', sa.String(length=40), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('verified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('remote', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_blobs'))
    )
    with op.batch_alter_table('blobs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_blobs_git_sha1'), ['git_sha1'], unique=False)

    op.create_table('reservations',
    sa.Column('holder', sa.String(length=80), nullable=False),
    sa.Column('purpose', sa.String(length=20), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reservations')),
    sa.UniqueConstraint('holder', name=op.f('uq_reservations_holder'))
    )
    op.create_table('hub_settings',
    sa.Column('name', sa.String(length=50), nullable=False),
    sa.Column('value', sa.JSON(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_by', sa.String(length=32), nullable=True),
    sa.ForeignKeyConstraint(['updated_by'], ['users.id'], name=op.f('fk_hub_settings_updated_by_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_hub_settings'))
    )
    op.create_table('model_versions',
    sa.Column('model_id', sa.String(length=32), nullable=False),
    sa.Column('tags', sa.JSON(), nullable=False),
    sa.Column('picked', sa.JSON(), nullable=False, server_default='{}'),
    sa.Column('verified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('revision', sa.String(length=200), nullable=False),
    sa.Column('commit', sa.String(length=64), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('location', sa.String(length=20), nullable=False),
    sa.Column('files', sa.JSON(), nullable=False),
    sa.Column('architecture', sa.String(length=200), nullable=True),
    sa.Column('parameters', sa.BigInteger(), nullable=True),
    sa.Column('context_length', sa.Integer(), nullable=True),
    sa.Column('dtype', sa.String(length=50), nullable=True),
    sa.Column('quantization', sa.String(length=50), nullable=True),
    sa.Column('license', sa.String(length=100), nullable=True),
    sa.Column('warnings', sa.JSON(), nullable=False),
    sa.Column('remote_code', sa.JSON(), nullable=False),
    sa.Column('offloaded', sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['model_id'], ['models.id'], name=op.f('fk_model_versions_model_id_models'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_model_versions'))
    )
    with op.batch_alter_table('model_versions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_model_versions_model_id'), ['model_id'], unique=False)

    op.create_table('blob_refs',
    sa.Column('version_id', sa.String(length=32), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['version_id'], ['model_versions.id'], name=op.f('fk_blob_refs_version_id_model_versions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('version_id', 'sha256', name=op.f('pk_blob_refs'))
    )
    with op.batch_alter_table('blob_refs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_blob_refs_sha256'), ['sha256'], unique=False)

    op.create_table('quarantined_files',
    sa.Column('version_id', sa.String(length=32), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=True),
    sa.Column('findings', sa.JSON(), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('decided_by', sa.String(length=32), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['decided_by'], ['users.id'], name=op.f('fk_quarantined_files_decided_by_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['version_id'], ['model_versions.id'], name=op.f('fk_quarantined_files_version_id_model_versions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quarantined_files'))
    )
    with op.batch_alter_table('quarantined_files', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_quarantined_files_version_id'), ['version_id'], unique=False)

    op.create_table('uploads',
    sa.Column('name', sa.String(length=300), nullable=False),
    sa.Column('files', sa.JSON(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('download_id', sa.String(length=32), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('user_id', sa.String(length=32), nullable=True),
    sa.Column('visibility', sa.String(length=10), nullable=False),
    sa.Column('team_id', sa.String(length=32), nullable=True),
    sa.ForeignKeyConstraint(['download_id'], ['downloads.id'], name=op.f('fk_uploads_download_id_downloads'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], name=op.f('fk_uploads_team_id_teams'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_uploads_user_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_uploads'))
    )
    with op.batch_alter_table('uploads', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_uploads_team_id'), ['team_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_uploads_user_id'), ['user_id'], unique=False)

    with op.batch_alter_table('downloads', schema=None) as batch_op:
        batch_op.add_column(sa.Column('update_of', sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column('options', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.create_foreign_key(batch_op.f('fk_downloads_update_of_models'), 'models', ['update_of'], ['id'], ondelete='SET NULL')

    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.add_column(sa.Column('priority', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('rank', sa.Float(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('waiting', sa.JSON(), nullable=True))

    with op.batch_alter_table('models', schema=None) as batch_op:
        batch_op.add_column(sa.Column('description', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('active_version_id', sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column('newer', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('location', sa.String(length=20), nullable=False, server_default='local'))
        batch_op.add_column(sa.Column('remote_code', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('offloaded', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('words', sa.String(length=400), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('file_count', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('outdated', sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table('deployments', schema=None) as batch_op:
        batch_op.add_column(sa.Column('version_id', sa.String(length=32), nullable=True))
        batch_op.create_index(batch_op.f('ix_deployments_model_id'), ['model_id'], unique=False)

    op.create_table('model_tags',
    sa.Column('model_id', sa.String(length=32), nullable=False),
    sa.Column('tag', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['model_id'], ['models.id'], name=op.f('fk_model_tags_model_id_models'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('model_id', 'tag', name=op.f('pk_model_tags'))
    )
    with op.batch_alter_table('model_tags', schema=None) as batch_op:
        batch_op.create_index('ix_model_tags_tag_model_id', ['tag', 'model_id'], unique=False)

    filters = ['words', 'kind', 'source', 'status', 'visibility', 'user_id', 'team_id', 'quantization', 'outdated']
    with op.batch_alter_table('models', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_models_parent_id'), ['parent_id'], unique=False)
        batch_op.create_index('ix_models_source_checked_at', ['source', 'checked_at'], unique=False)
        batch_op.create_index('ix_models_by_id', ['id', *filters], unique=False)
        batch_op.create_index('ix_models_by_name', ['words', 'id', *filters[1:]], unique=False)
        batch_op.create_index('ix_models_by_size', ['size', 'id', *filters], unique=False)

    _what_is_here_can_be_found()
    _versions_of_what_is_here()
    for permission in ("folders.use", "ollama.manage", "settings.manage"):
        op.execute(
            "INSERT INTO role_permissions (role_id, permission) "
            f"SELECT id, '{permission}' FROM roles WHERE name IN ('operator', 'admin')"
        )
    op.execute(
        "INSERT INTO role_permissions (role_id, permission) "
        "SELECT id, 'intake.release' FROM roles WHERE name = 'admin'"
    )


def _versions_of_what_is_here():
    """Every model has had one set of files: that is its first version, under the model's own id."""
    columns = (
        "kind, revision, \"commit\", size, path, location, files, architecture, parameters, context_length, dtype, "
        "quantization, license, warnings, remote_code, tags, created_at"
    )
    op.execute(f"INSERT INTO model_versions (id, model_id, {columns}) SELECT id, id, {columns} FROM models")
    op.execute("UPDATE models SET active_version_id = id")


def _what_is_here_can_be_found():
    """Words, tags and number of files of the models that are here already."""
    models = sa.table(
        'models', sa.column('id'), sa.column('name'), sa.column('ref'), sa.column('tags', sa.JSON()),
        sa.column('files', sa.JSON()), sa.column('words'), sa.column('file_count'),
    )
    tags = sa.table('model_tags', sa.column('model_id'), sa.column('tag'))
    connection = op.get_bind()
    for row in connection.execute(sa.select(models)).all():
        words = "\n".join(dict.fromkeys([row.name, row.ref, *(row.tags or [])])).lower()[:400]
        values = {"words": words, "file_count": len(row.files or [])}
        connection.execute(models.update().where(models.c.id == row.id).values(values))
        labels = [{"model_id": row.id, "tag": tag} for tag in dict.fromkeys(str(tag)[:200] for tag in row.tags or [])]
        if labels:
            connection.execute(tags.insert(), labels)


def downgrade():
    raise NotImplementedError("Going back would forget versions and who holds which blob. Restore a backup instead.")
