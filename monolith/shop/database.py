"""Turn a database address into Django's settings, tuned for the engine it names. Opens no connection."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

SQLITE = "django.db.backends.sqlite3"
POSTGRESQL = "django.db.backends.postgresql"

# WAL lets readers run beside the one writer; IMMEDIATE takes the write lock at BEGIN, where waiting for it
# is still possible (a read lock upgraded later fails at once with "database is locked").
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    "timeout": 20,
}

# A gunicorn thread lives as long as its worker and keeps its connection: this bounds an idle one's age.
POSTGRESQL_SECONDS = 60


def database(url: str) -> dict[str, Any]:
    """Return the DATABASES entry for `url`; raise ImproperlyConfigured for an engine the shop cannot use."""
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError as error:
        raise ImproperlyConfigured(f"MONOLITH_DATABASE_URL: {error}") from error
    if config["ENGINE"] == SQLITE:
        return config | {"OPTIONS": SQLITE_OPTIONS}
    if config["ENGINE"] == POSTGRESQL:
        return config | {"CONN_MAX_AGE": POSTGRESQL_SECONDS, "CONN_HEALTH_CHECKS": True}
    raise ImproperlyConfigured(
        f"MONOLITH_DATABASE_URL names {config['ENGINE']}; the shop runs on sqlite:///FILE or postgresql://…"
    )


def sqlite_file(path: Path) -> str:
    """Return the address of the SQLite file at `path`, after making the folder it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{path}"
