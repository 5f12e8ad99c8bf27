"""The catalog's own commands: `python -m extracted.catalog migrate|relay`."""

from pathlib import Path

import click

from extracted.catalog.app import NAME
from extracted.catalog.config import read_config
from extracted.catalog.models import Base
from extracted.chassis.database import Database
from extracted.chassis.events.relay import Relay
from extracted.chassis.events.relaying import BadAddress, courier_to, relay_until_stopped
from extracted.chassis.logs import log_as_json
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


@main.command()
@click.option(
    "--to", "url", envvar="EVENTS_URL", required=True, help="http(s)://… or amqp(s)://… [EVENTS_URL]"
)
@click.option("--subscriber", "subscribers", multiple=True, default=("monolith",), show_default=True)
def relay(*, url: str, subscribers: tuple[str, ...]) -> None:
    """Pass the catalog's events on, until stopped: to one receiver, or by RabbitMQ to every subscriber."""
    config = read_config()
    log_as_json(config.log_level)
    try:
        courier = courier_to(url, config.peer_key, subscribers)
    except BadAddress as fault:
        raise click.BadParameter(str(fault), param_hint="--to") from fault
    database = Database(config.database_url)
    try:
        relay_until_stopped(Relay(database, courier, NAME))
    finally:
        courier.close()
        database.close()


if __name__ == "__main__":
    main()
