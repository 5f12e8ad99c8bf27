"""Say who a request is from: the monolith's short-lived signed word, never a header a client could write.

The proxy strips the header from clients and puts the monolith's token there. Without a key nobody can be
believed, so everybody is anonymous; with one, a token that does not verify is refused, never ignored.
"""

from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from extracted.chassis.errors import BadIdentity

HEADER = "X-Strangler-Identity"
ISSUER = "monolith"
CLAIMS = ["sub", "name", "staff", "permissions", "aud", "iss", "exp"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. `user_id` is the monolith's; an anonymous one is None."""

    user_id: int | None = None
    name: str = ""
    staff: bool = False
    permissions: frozenset[str] = frozenset()

    @property
    def authenticated(self) -> bool:
        """Whether somebody is signed in."""
        return self.user_id is not None


ANONYMOUS = Identity()


@dataclass(frozen=True, slots=True)
class IdentityReader:
    """Believes tokens signed with one key for one group."""

    public_key: Ed25519PublicKey | None
    audience: str

    def read(self, token: str | None) -> Identity:
        """Return who the token names, ANONYMOUS without one; raise BadIdentity for one not to be believed."""
        if token is None or self.public_key is None:
            return ANONYMOUS
        try:
            claims = jwt.decode(
                token,
                self.public_key,
                algorithms=["EdDSA"],
                audience=self.audience,
                issuer=ISSUER,
                options={"require": CLAIMS},
            )
            return _identity(claims)
        except (jwt.InvalidTokenError, ValueError) as fault:
            raise BadIdentity from fault


def load_public_key(pem: str) -> Ed25519PublicKey:
    """Read an Ed25519 public key; raise ValueError for anything else."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"wanted an Ed25519 public key, found {type(key).__name__}")  # noqa: TRY004
    return key


def _identity(claims: dict[str, Any]) -> Identity:
    return Identity(
        user_id=int(claims["sub"]),
        name=str(claims["name"]),
        staff=claims["staff"] is True,
        permissions=frozenset(claims["permissions"]),
    )
