"""Write the command that asks an upstream the same again. Pure.

Only for safe requests: a write is never performed twice. Secrets are left to the shell's environment.
"""

import shlex
from collections.abc import Mapping

from proxy.pairs import Pair, Request
from strangler.compare import masking
from strangler.compare.exchange import SAFE_METHODS

_MADE_BY_CURL = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive"})


def commands(pair: Pair, upstreams: Mapping[str, str]) -> tuple[str, ...]:
    """Return one curl line for each side; none for a request that may change something.

    `upstreams` are base URLs by name. One that is not among them becomes a variable, `${CATALOG_URL}`.
    """
    if pair.request.method not in SAFE_METHODS:
        return ()
    return tuple(_curl(pair.request, name, upstreams) for name in (pair.control, pair.candidate))


def _curl(request: Request, upstream: str, upstreams: Mapping[str, str]) -> str:
    url = upstreams.get(upstream)
    target = masking.target(request.target)
    address = shlex.quote(url.rstrip("/") + target) if url else _address_by_variable(upstream, target)
    method = {"GET": [], "HEAD": ["--head"]}.get(request.method, ["--request", request.method])
    words = ["curl", "--include", "--silent", "--show-error", "--path-as-is", *method]
    for name, value in request.headers:
        words += _field(name.decode("latin-1"), value.decode("latin-1"))
    if request.body:
        words += ["--data-binary", shlex.quote(request.body.decode("utf-8", "backslashreplace"))]
    return " ".join([*words, address])


def _address_by_variable(upstream: str, target: str) -> str:
    return f'"${{{_variable(upstream)}_URL}}"{shlex.quote(target)}'


def _field(name: str, value: str) -> list[str]:
    lower = name.lower()
    if lower in _MADE_BY_CURL:
        return []
    if lower == "accept-encoding":
        return ["--compressed"]
    if lower in masking.SECRET_HEADERS:
        return ["--header", f'"{name}: ${_variable(name)}"']
    return ["--header", shlex.quote(f"{name}: {value}")]


def _variable(name: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in name).upper()
