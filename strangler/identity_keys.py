"""Make, once, the keys by which the parts of one stack believe each other, and keep them under var/.

What the environment names is used instead. Nothing here is ever printed.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from proxy.table import REHEARSAL_KEY
from strangler.errors import BadIdentityKey

SERVICE_KEY = "STRANGLER_SERVICE_KEY"
PRIVATE_KEY = "STRANGLER_IDENTITY_PRIVATE_KEY"
PUBLIC_KEY = "STRANGLER_IDENTITY_PUBLIC_KEY"
PEER_KEY = "STRANGLER_PEER_KEY"
# Words that both sides only have to know alike, and where each is kept.
WORDS = {SERVICE_KEY: "service.key", PEER_KEY: "peer.key", REHEARSAL_KEY: "rehearsal.key"}


def identity_environment(var: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the five variables; files that are not there yet are made. Raises BadIdentityKey."""
    file = var / "identity.pem"
    private = environ.get(PRIVATE_KEY) or _kept(file, _new_private_key)
    words = {
        name: environ.get(name) or _kept(var / kept, secrets.token_urlsafe) for name, kept in WORDS.items()
    }
    return words | {
        PRIVATE_KEY: private,
        PUBLIC_KEY: environ.get(PUBLIC_KEY)
        or _public_half(private, PRIVATE_KEY if environ.get(PRIVATE_KEY) else str(file)),
    }


def word_made(var: Path, name: str, environ: Mapping[str, str]) -> str:
    """Return one of WORDS where it is known, empty where it is not. Makes none."""
    file = var / WORDS[name]
    return environ.get(name) or (file.read_text() if file.is_file() else "")


def _kept(file: Path, make: Callable[[], str]) -> str:
    """Return what a file of the owner's alone holds, made by `make` where it is not there."""
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return file.read_text()
    with os.fdopen(descriptor, "w") as handle:
        handle.write(make())
    return file.read_text()


def _new_private_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public_half(pem: str, where: str) -> str:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadIdentityKey(
            f"{where} holds no Ed25519 private key in PEM; an unencrypted one is wanted",
            next="openssl genpkey -algorithm ed25519        (or remove it: up makes a pair)",
        )
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
