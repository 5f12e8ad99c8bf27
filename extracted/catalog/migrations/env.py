"""How Alembic reaches the database: over the connection that `extracted.chassis.migrate` hands in."""

from alembic import context

from extracted.chassis.migrate import CONNECTION, METADATA

context.configure(
    connection=context.config.attributes[CONNECTION],
    target_metadata=context.config.attributes[METADATA],
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
