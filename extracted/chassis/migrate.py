"""Bring a service's database to the newest schema with Alembic. Safe to run again."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData

from extracted.chassis.database import Begin, Database

CONNECTION = "connection"
METADATA = "metadata"


def upgrade(database: Database, migrations: Path, metadata: MetaData) -> None:
    """Run every migration of the folder that the database has not had, all in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes[METADATA] = metadata
    engine = database.engine.execution_options(begin=Begin.WRITE)
    with engine.begin() as connection:
        config.attributes[CONNECTION] = connection
        command.upgrade(config, "head")
