"""Write down who a user is, for one group, for a minute, signed. Never more than that group's permissions."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.apps import apps

ISSUER = "monolith"
LIFETIME = timedelta(seconds=60)  # of which the proxy uses a token for a few


def signed(claims: dict[str, Any], key: Ed25519PrivateKey) -> str:
    """Return the token that says `claims`."""
    return jwt.encode(claims, key, algorithm="EdDSA")


def claims_of(user: Any, group: str, tables: Collection[str]) -> dict[str, Any]:
    """Return what a group's service is told about a user, from now until LIFETIME later."""
    return {
        "sub": str(user.pk),
        "name": _name(user),
        "staff": getattr(user, "is_staff", False) is True,
        "permissions": _permissions(user, tables),
        "aud": group,
        "iss": ISSUER,
        "exp": datetime.now(UTC) + LIFETIME,
    }


def _name(user: Any) -> str:
    """Return the name a user is shown by: `display_name` where the model has one."""
    full = getattr(user, "get_full_name", str)
    return str(getattr(user, "display_name", "") or full() or user.get_username())


def _permissions(user: Any, tables: Collection[str]) -> list[str]:
    """Return a user's permissions, groups' included, on the apps that have the tables.

    All permissions of a superuser would not fit the header that a service accepts.
    """
    labels = {model._meta.app_label for model in apps.get_models() if model._meta.db_table in tables}
    return sorted(name for name in user.get_all_permissions() if name.partition(".")[0] in labels)
