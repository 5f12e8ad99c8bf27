"""Read the catalog's settings from the environment, once; a wrong one stops the start with its name."""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from environs import Env, EnvError

from extracted.chassis.database import database_url
from extracted.chassis.identity import load_public_key
from extracted.chassis.rehearsals.mark import read_key

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_DATABASE = f"sqlite:///{REPOSITORY / 'var' / 'catalog.sqlite3'}"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the catalog takes from its environment."""

    database_url: str
    public_key: Ed25519PublicKey | None
    log_level: str
    peer_key: str = ""  # by which the monolith knows its services
    monolith_url: str = ""  # whom to ask what still refers to a row; without it nobody is asked
    rehearsal_key: bytes | None = field(default=None, repr=False)  # without it nothing is rehearsed


def read_config() -> Config:
    """Return the settings; raise EnvError naming the variable that is wrong."""
    env = Env()
    return Config(
        database_url=_database(env.str("CATALOG_DATABASE_URL", "") or DEFAULT_DATABASE),
        public_key=_public_key(env.str("STRANGLER_IDENTITY_PUBLIC_KEY", "")),
        log_level=_level(env.str("CATALOG_LOG_LEVEL", "INFO")),
        peer_key=env.str("STRANGLER_PEER_KEY", ""),
        monolith_url=_web_address(env.str("CATALOG_MONOLITH_URL", "")),
        rehearsal_key=_rehearsal_key(env.str("STRANGLER_REHEARSAL_KEY", "")),
    )


def _database(url: str) -> str:
    try:
        database_url(url)
    except ValueError as fault:
        raise EnvError(f"CATALOG_DATABASE_URL: {fault}") from fault
    return url


def _public_key(pem: str) -> Ed25519PublicKey | None:
    try:
        return load_public_key(pem) if pem else None
    except ValueError as fault:
        raise EnvError(f"STRANGLER_IDENTITY_PUBLIC_KEY: {fault}") from fault


def _web_address(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise EnvError(f"CATALOG_MONOLITH_URL: found {url!r}, wanted http(s)://HOST:PORT")
    return url.rstrip("/")


def _rehearsal_key(text: str) -> bytes | None:
    try:
        return read_key(text)
    except ValueError as fault:
        raise EnvError(f"STRANGLER_REHEARSAL_KEY: {fault}") from fault


def _level(name: str) -> str:
    if name not in LEVELS:
        raise EnvError(f"CATALOG_LOG_LEVEL: found {name!r}, wanted one of {', '.join(LEVELS)}")
    return name
