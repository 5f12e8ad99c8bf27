"""The same shop twice: the monolith on its database, the catalog service on a copy made by the kit.

Both are asked in this process through the same WSGI client, so that every byte and header can be compared.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.db.utils import load_backend
from django.test import RequestFactory
from shop.database import database as django_database
from werkzeug.test import Client

from extracted.catalog.__main__ import MIGRATIONS
from extracted.catalog.app import create_app
from extracted.catalog.config import Config
from extracted.catalog.models import Base
from extracted.chassis.database import Database
from extracted.chassis.identity import HEADER
from extracted.chassis.migrate import upgrade
from extracted.chassis.peers import PEER_KEY
from proxy.routes import Owner, RouteTable
from proxy.table import parse_table
from strangler.django.references import References
from strangler.takeover.fitness import fit_takeover
from strangler.takeover.mapping import Mapping as TableMappings
from strangler.takeover.session import find_group, open_databases
from strangler.takeover.start import start
from tests.integration.contract.furniture import Person, furnish
from tests.postgres import Postgres

ROOT = Path(__file__).resolve().parents[3]
CSRF = "c" * 32
KEY = Ed25519PrivateKey.generate()
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
# Headers of one connection or one moment, which no client may rely on.
PASSING = {"date", "server", "connection"}


@dataclass(frozen=True)
class Answer:
    """What came back, as a client sees it."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's meaning."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Question:
    """One request. `who` is a key of the world's people, None for nobody."""

    method: str
    path: str
    who: str | None = None
    json: Any = None
    data: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Upstream(Protocol):
    """Something that answers for the catalog."""

    def ask(self, question: Question) -> Answer:
        """Answer one request."""


def _send(client: Client, question: Question, credentials: Mapping[str, str]) -> Answer:
    options: dict[str, Any] = {"headers": {**credentials, **dict(question.headers)}}
    if question.json is not None:
        options["json"] = question.json
    elif question.data is not None:
        options["data"] = question.data
    response = client.open(question.path, method=question.method, base_url="http://testserver", **options)
    # Servers send no body after HEAD; Django leaves it to them to drop it.
    body = b"" if question.method == "HEAD" else response.get_data()
    headers = {name.lower(): value for name, value in response.headers if name.lower() not in PASSING}
    response.close()
    reason = response.status.partition(" ")[2]
    return Answer(response.status_code, reason, headers, body)


class InThisProcess:
    """What the monolith says that refers to a row, asked without a server between."""

    def protectors(self, table: str, key: object, own: Sequence[str]) -> Sequence[str]:
        """Ask the view itself."""
        request = RequestFactory().get("/", {"own": ",".join(own)}, headers={PEER_KEY: "k"})
        return list(json.loads(References("k")(request, table, str(key)).content)["protectors"])


@dataclass(frozen=True)
class Monolith:
    """The shop itself, with a session cookie as a browser has it."""

    client: Client
    people: Mapping[str, Person]

    def ask(self, question: Question) -> Answer:
        """Answer one request."""
        credentials = {}
        if question.who:
            credentials["Cookie"] = f"sessionid={self.people[question.who].session}; csrftoken={CSRF}"
            if question.method in UNSAFE:
                credentials["X-CSRFToken"] = CSRF
        return _send(self.client, question, credentials)


@dataclass(frozen=True)
class Catalog:
    """The service, with a token as the proxy gives it."""

    client: Client
    people: Mapping[str, Person]

    def ask(self, question: Question) -> Answer:
        """Answer one request."""
        credentials = {HEADER: token_for(self.people[question.who])} if question.who else {}
        return _send(self.client, question, credentials)


def token_for(person: Person) -> str:
    """Return the token that the monolith would sign for somebody."""
    claims = {
        "sub": str(person.id),
        "name": person.name,
        "staff": person.staff,
        "permissions": [],
        "aud": "catalog",
        "iss": "monolith",
        "exp": datetime.now(UTC) + timedelta(minutes=5),
    }
    return jwt.encode(claims, KEY, algorithm="EdDSA")


@dataclass(frozen=True, repr=False)
class World:
    """Both upstreams, each on a database of its own with the same catalog in it."""

    people: Mapping[str, Person]
    monolith: Monolith
    catalog: Catalog

    def both(self, question: Question) -> tuple[Answer, Answer]:
        """Ask both sides: the monolith's answer, the service's answer."""
        return self.monolith.ask(question), self.catalog.ask(question)


@dataclass(frozen=True)
class Databases:
    """Where a world lives. `people` have sessions in the monolith's database."""

    monolith_url: str
    catalog_url: str
    people: Mapping[str, Person]

    def copied(self, folder: Path, server: Postgres | None) -> "Databases":
        """Return new databases with the same content. Nobody may be connected to the old ones."""
        return Databases(
            _copied(self.monolith_url, folder / "monolith.sqlite3", server),
            _copied(self.catalog_url, folder / "catalog.sqlite3", server),
            self.people,
        )

    @contextmanager
    def open(self) -> Iterator[World]:
        """Let both sides answer from here; Django is pointed back afterwards."""
        app = create_app(Config(self.catalog_url, KEY.public_key(), "INFO"), elsewhere=InThisProcess())
        with django_on(self.monolith_url):
            monolith = Monolith(Client(get_wsgi_application(), use_cookies=False), self.people)
            yield World(self.people, monolith, Catalog(Client(app, use_cookies=False), self.people))
        app.extensions["database"].close()


@contextmanager
def django_on(url: str) -> Iterator[None]:
    """Point Django at a database; the connection there was is put back, unharmed, afterwards."""
    config = connections.configure_settings({"default": django_database(url)})["default"]
    before = connections["default"]
    connections["default"] = load_backend(config["ENGINE"]).DatabaseWrapper(config, "default")
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = before
        ContentType.objects.clear_cache()


def make_databases(monolith_url: str, catalog_url: str, var: Path) -> Databases:
    """Fill a monolith's database, and copy its catalog to a service's as a user would."""
    with django_on(monolith_url):
        call_command("migrate", verbosity=0)
        people = furnish()
    service = Database(catalog_url)
    upgrade(service, MIGRATIONS, Base.metadata)
    service.close()
    routes = parse_table((ROOT / "proxy/routes.toml").read_text(), "routes.toml")
    environ = {"MONOLITH_DATABASE_URL": monolith_url, "CATALOG_DATABASE_URL": catalog_url}
    start(routes, "catalog", environ, var, execute=True)
    _let_both_write(routes, environ, var)
    return Databases(monolith_url, catalog_url, people)


def _let_both_write(routes: RouteTable, environ: Mapping[str, str], var: Path) -> None:
    """Have the service take writes beside the monolith: no fence, and ids of its own."""
    with open_databases(find_group(routes, "catalog"), environ, var) as databases:
        flow = fit_takeover(databases, TableMappings()).flow(Owner.MONOLITH)
        with flow.target.snapshot() as moment:
            highest = moment.highest_ids(flow.targets)
        with flow.target.transaction(databases.take_leases().service) as into:
            into.lift_fence(flow.targets)
            into.start_ids_after(highest)


def _copied(url: str, file: Path, server: Postgres | None) -> str:
    if url.startswith("postgresql"):
        assert server is not None
        return server.fresh(template=url)
    shutil.copyfile(url.removeprefix("sqlite:///"), file)
    return f"sqlite:///{file}"
