"""Put the parts of the chassis together into a Flask application. Wiring only."""

from dataclasses import dataclass, field

from flask import Flask
from sqlalchemy import MetaData
from werkzeug.middleware.proxy_fix import ProxyFix

from extracted.chassis.database import Database
from extracted.chassis.events.figures import OutboxFigures
from extracted.chassis.health import add_health
from extracted.chassis.identity import IdentityReader
from extracted.chassis.logs import add_request_log
from extracted.chassis.metrics import add_metrics
from extracted.chassis.rehearsals.middleware import Rehearsals, Stage
from extracted.chassis.resource import Resource
from extracted.chassis.web import mount, speak_like_django


@dataclass(frozen=True, slots=True)
class Service:
    """A service about to be wired: its name, its database with its tables, whom it believes."""

    name: str
    database: Database
    rows: MetaData
    identities: IdentityReader
    rehearsal_key: bytes | None = field(default=None, repr=False)


def build(service: Service, resources: dict[str, Resource]) -> Flask:
    """Return the application that answers `resources` by path."""
    app = Flask(service.name, static_folder=None)
    # Only the proxy reaches a service, so its word on scheme and client is taken. It leaves Host alone.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    stage = Stage(service.name, service.database, service.rows, service.rehearsal_key)
    app.wsgi_app = Rehearsals(app.wsgi_app, stage)  # type: ignore[method-assign]
    app.extensions["database"] = service.database  # whoever made the application closes it
    add_metrics(app, [OutboxFigures(service.name, service.database)])
    add_request_log(app)
    speak_like_django(app)
    add_health(app, service.database)
    for path, resource in resources.items():
        mount(app, path, resource, service.identities)
    return app
