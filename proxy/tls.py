"""The certificate that clients are shown. A bad one stops the start; a later bad one changes nothing."""

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path


class CertificateRefused(ValueError):
    """A certificate that cannot be shown; the message says what was found and what is wanted."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the certificate's chain lies, and its key where that is in a file of its own."""

    chain: Path
    key: Path | None

    def load(self) -> ssl.SSLContext:
        """Return what a worker serves with. Raises CertificateRefused."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.chain, self.key, password=_no_password)
        except (OSError, _Locked) as error:  # an ssl.SSLError is an OSError
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            where = self.chain if self.key is None else f"{self.chain} with {self.key}"
            raise CertificateRefused(
                f"cannot use the certificate {where}: {why}; wanted a PEM chain and its unencrypted key"
            ) from None
        return context


class Certificate:
    """The certificate in force. It is read again on every reload, by the master: workers inherit it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.context = place.load()

    def renew(self, log: logging.Logger) -> None:
        """Read the files again; where they are not sound, go on with what was read before."""
        try:
            self.context = self.place.load()
        except CertificateRefused as error:
            log.error("%s; the certificate in force serves on", error)  # noqa: TRY400 - says all there is


class _Locked(Exception):
    """Asked instead of a person, who is not there when a proxy starts."""


def _no_password() -> str:
    raise _Locked("the key is encrypted")
