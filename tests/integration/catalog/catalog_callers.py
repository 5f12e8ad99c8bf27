"""Whoever asks the catalog in its tests, with a token as the monolith would sign it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from werkzeug.test import TestResponse

from extracted.chassis.identity import HEADER

KEY = Ed25519PrivateKey.generate()


def token(user_id: int, *, staff: bool = True) -> str:
    """Return the word of the monolith that somebody asks."""
    claims = {
        "sub": str(user_id),
        "name": f"User {user_id}",
        "staff": staff,
        "permissions": [],
        "aud": "catalog",
        "iss": "monolith",
        "exp": datetime.now(UTC) + timedelta(minutes=5),
    }
    return jwt.encode(claims, KEY, algorithm="EdDSA")


@dataclass(frozen=True)
class Caller:
    """Somebody who asks a service in this process. A new client each time: callers may be in threads."""

    app: Flask
    user_id: int = 1

    def ask(self, method: str, path: str, json: object = None, **headers: str) -> TestResponse:
        """Send one request; header names with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.app.test_client().open(
            path, method=method, json=json, headers={HEADER: token(self.user_id), **given}
        )
