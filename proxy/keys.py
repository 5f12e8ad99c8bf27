"""Read keys from the environment. A key that guards nothing is refused, never used."""

from collections.abc import Mapping


class KeyRefused(ValueError):
    """The key in the environment guards nothing; the message says what was found and what is wanted."""


def key_in(environ: Mapping[str, str], variable: str, least: int) -> bytes:
    """Return a key of at least so many visible ASCII characters, empty for none. Raises KeyRefused."""
    key = environ.get(variable, "")
    if key and (len(key) < least or not key.isascii() or not key.isprintable() or " " in key):
        raise KeyRefused(
            f"{variable}: found {len(key)} characters; wanted {least} or more of ASCII, without spaces"
        )
    return key.encode()
