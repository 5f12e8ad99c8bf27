"""The catalog's own command: `python -m extracted.catalog migrate`."""

from pathlib import Path

import click

from extracted.catalog.config import read_config
from extracted.catalog.models import Base
from extracted.chassis.database import Database
from extracted.chassis.migrate import upgrade

MIGRATIONS = Path(__file__).parent / "migrations"


@click.group()
def main() -> None:
    """Look after the catalog service."""


@main.command()
def migrate() -> None:
    """Bring the catalog's database (CATALOG_DATABASE_URL) to the newest schema. Safe to run again."""
    database = Database(read_config().database_url)
    upgrade(database, MIGRATIONS, Base.metadata)
    database.close()
    click.echo(f"catalog: {database.url.render_as_string()} is at the newest schema")


if __name__ == "__main__":
    main()
