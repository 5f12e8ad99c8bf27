"""Bring a service's database to the newest schema with Alembic. Safe to run again."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from extracted.chassis.database import Begin, Database

CONNECTION = "connection"
METADATA = "metadata"


def upgrade(database: Database, migrations: Path, metadata: MetaData) -> None:
    """Run every migration of the folder that the database has not had, all in one transaction."""
    config = _config(migrations)
    config.attributes[METADATA] = metadata
    engine = database.engine.execution_options(begin=Begin.WRITE)
    with engine.begin() as connection:
        config.attributes[CONNECTION] = connection
        command.upgrade(config, "head")


def is_newest(database: Database, migrations: Path) -> bool:
    """Whether the database has had every migration of the folder. Read-only."""
    with database.engine.connect() as connection:
        had = MigrationContext.configure(connection).get_current_heads()
    return set(had) == set(ScriptDirectory.from_config(_config(migrations)).get_heads())


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    return config
