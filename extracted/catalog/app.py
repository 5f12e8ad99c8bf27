"""Wire the catalog service together. Wiring only."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask

from extracted.catalog.api import resources
from extracted.catalog.config import Config, read_config
from extracted.catalog.models import Base
from extracted.chassis.app import Service, build
from extracted.chassis.database import Database
from extracted.chassis.elsewhere import Elsewhere, InTheMonolith, Nowhere
from extracted.chassis.identity import IdentityReader
from extracted.chassis.logs import log_as_json
from extracted.chassis.peers import Peer
from extracted.chassis.writing import Shelf

NAME = "catalog"


def create_app(
    config: Config,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    elsewhere: Elsewhere | None = None,
) -> Flask:
    """Return the catalog as a WSGI application. Opens no connection until the first request.

    `elsewhere` is asked who refers to a row; by default that is the monolith, where the settings name one.
    """
    database = Database(config.database_url)
    shelf = Shelf(database, clock, elsewhere or _elsewhere(config))
    identities = IdentityReader(config.public_key, audience=NAME)
    service = Service(NAME, database, Base.metadata, identities, config.rehearsal_key)
    return build(service, dict(resources(shelf)))


def _elsewhere(config: Config) -> Elsewhere:
    if not config.monolith_url:
        return Nowhere()
    return InTheMonolith(Peer(config.monolith_url, config.peer_key))


def serve() -> Flask:
    """Return the application that gunicorn serves, configured from the environment."""
    config = read_config()
    log_as_json(config.log_level)
    return create_app(config)
