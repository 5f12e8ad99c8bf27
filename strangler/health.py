"""Ask an upstream once whether it is well, as a person at the command waits. Never in the request path."""

from dataclasses import dataclass

import requests

from proxy.routes import Upstream


@dataclass(frozen=True)
class Health:
    """One answer to a health question; `fault` is empty when the upstream is well."""

    url: str
    fault: str = ""

    @property
    def well(self) -> bool:
        """Whether the upstream can be sent requests."""
        return not self.fault


def ask_health(upstream: Upstream, seconds: float = 2.0) -> Health:
    """Ask an upstream's health path once; without one, any answer at `/` will do."""
    url = upstream.url.rstrip("/") + (upstream.health or "/")
    return ask_url(url, any_status=upstream.health is None, seconds=seconds)


def ask_url(url: str, *, any_status: bool = False, seconds: float = 2.0) -> Health:
    """Ask one URL. Well is a status below 400, or any answer at all with `any_status`."""
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy from the environment would answer for the upstream
            answer = session.get(url, timeout=seconds, allow_redirects=False)
    except requests.RequestException as error:
        return Health(url, _reason(error))
    if any_status or answer.ok:
        return Health(url)
    return Health(url, f"status {answer.status_code}")


def _reason(error: requests.RequestException) -> str:
    """Return the innermost reason: what the operating system said, not how the library wrapped it."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return str(cause) or type(cause).__name__
