"""Wire the catalog service together. Wiring only."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask

from extracted.catalog.api import resources
from extracted.catalog.config import Config, read_config
from extracted.chassis.app import Service, build
from extracted.chassis.database import Database
from extracted.chassis.identity import IdentityReader
from extracted.chassis.logs import log_as_json
from extracted.chassis.writing import Shelf

NAME = "catalog"


def create_app(config: Config, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Flask:
    """Return the catalog as a WSGI application. Opens no connection until the first request."""
    database = Database(config.database_url)
    service = Service(NAME, database, IdentityReader(config.public_key, audience=NAME))
    return build(service, dict(resources(Shelf(database, clock))))


def serve() -> Flask:
    """Return the application that gunicorn serves, configured from the environment."""
    config = read_config()
    log_as_json(config.log_level)
    return create_app(config)
