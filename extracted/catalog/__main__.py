"""The catalog's own command: `python -m extracted.catalog migrate`."""

from pathlib import Path

import click

from extracted.catalog.config import read_config
from extracted.catalog.models import Base
from extracted.chassis.database import Database
from extracted.chassis.migrate import is_newest, upgrade

MIGRATIONS = Path(__file__).parent / "migrations"


@click.group()
def main() -> None:
    """Look after the catalog service."""


@main.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 where a migration is missing.")
def migrate(*, check: bool) -> None:
    """Bring the catalog's database (CATALOG_DATABASE_URL) to the newest schema. Safe to run again."""
    database = Database(read_config().database_url)
    try:
        if not check:
            upgrade(database, MIGRATIONS, Base.metadata)
        newest = is_newest(database, MIGRATIONS)
    finally:
        database.close()
    click.echo(
        f"catalog: {database.url.render_as_string()} is {'' if newest else 'not '}at the newest schema"
    )
    if not newest:
        raise click.exceptions.Exit(1)


if __name__ == "__main__":
    main()
