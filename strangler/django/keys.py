"""Read from the environment by which keys others are known; a wrong one stops the start with its name."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ImproperlyConfigured

SERVICE_KEY = "STRANGLER_SERVICE_KEY"
PRIVATE_KEY = "STRANGLER_IDENTITY_PRIVATE_KEY"
PEER_KEY = "STRANGLER_PEER_KEY"


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What the proxy must know to be answered, and what the answer is signed with."""

    service_key: str
    private_key: Ed25519PrivateKey


def read_keys(environ: Mapping[str, str]) -> Keys | None:
    """Return the keys, None without a service key; raise ImproperlyConfigured naming what is wrong."""
    service_key = environ.get(SERVICE_KEY, "")
    if not service_key:
        return None
    return Keys(service_key, _private_key(environ.get(PRIVATE_KEY, "")))


def read_peer_key(environ: Mapping[str, str]) -> str:
    """Return the key by which services are known; without one they find nothing here."""
    return environ.get(PEER_KEY, "")


def _private_key(pem: str) -> Ed25519PrivateKey:
    wanted = f"{PRIVATE_KEY}: wanted an Ed25519 private key in PEM beside {SERVICE_KEY}, found "
    if not pem:
        raise ImproperlyConfigured(wanted + "nothing")
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ImproperlyConfigured(wanted + "something that is no unencrypted key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ImproperlyConfigured(wanted + type(key).__name__)
    return key
