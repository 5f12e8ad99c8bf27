"""Sign what a caller may claim of itself towards the proxy, with this installation's secret.

The secret is read and never printed; a signature shows nothing of it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from proxy.claims import Purpose, signed
from proxy.settings import SECRET_FILE
from strangler.errors import NoSecret
from strangler.installation import Installation

SECRET = "STRANGLER_SECRET"  # noqa: S105 - the name of a variable, not a secret


@dataclass(frozen=True)
class Signed:
    """A header that the proxy believes until a moment (RFC 3339, UTC)."""

    header: str
    value: str
    until: str


def sign(
    place: Installation, purpose: Purpose, said: str, minutes: int, environ: Mapping[str, str] = os.environ
) -> Signed:
    """Return the header of a claim that holds from now on. Raises NoSecret."""
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=minutes)
    value = signed(_secret(place, environ), purpose, int(until.timestamp()), said)
    return Signed(f"X-Strangler-{purpose.capitalize()}", value, until.isoformat())


def _secret(place: Installation, environ: Mapping[str, str]) -> bytes:
    """Return the secret as the proxy of this installation has it."""
    if given := environ.get(SECRET):
        return given.encode()
    file = place.control / SECRET_FILE
    try:
        return file.read_bytes()
    except OSError as error:
        raise NoSecret(
            f"{SECRET} is not set and {file} cannot be read ({error.strerror}); the proxy's secret is wanted",
            next=f"strangler up        (it makes one; or set {SECRET} to the proxy's)",
        ) from None
