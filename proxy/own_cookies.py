"""The proxy's own cookies: how they are set, and that no upstream sees one. Pure."""

PREFIX = b"strangler_"  # of every cookie that is the proxy's
COHORT = PREFIX + b"cohort"
PIN = PREFIX + b"pin_"  # and the group's name


def without_own(cookies: bytes) -> bytes:
    """Return a Cookie header's value without the proxy's own cookies."""
    if PREFIX not in cookies:
        return cookies
    pairs = (pair.strip() for pair in cookies.split(b";"))
    return b"; ".join(pair for pair in pairs if pair and not pair.startswith(PREFIX))


def set_cookie(name: bytes, value: bytes, *, seconds: int, secure: bool) -> bytes:
    """Return the line that sets a cookie, ended by CRLF (RFC 6265 4.1)."""
    return b"Set-Cookie: %b=%b; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%b\r\n" % (
        name,
        value,
        seconds,
        b"; Secure" if secure else b"",
    )
