"""The requests that are asked again: JSON lines without anybody's secrets. Pure but for two functions.

What says who asked is left out and comes back as a role; what is secret by its name is masked.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from proxy.pairs import Request, Response
from strangler.compare import masking
from strangler.errors import BadCorpus

# What can change an answer and says nothing of who asks.
KEPT_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "content-type",
        "if-modified-since",
        "if-none-match",
        "range",
        "x-requested-with",
    }
)


class Answered(msgspec.Struct, frozen=True):
    """What the control answered to a write, for nobody asks it again: to whom, when (Unix seconds), what."""

    role: str
    at: float
    status: int
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def response(self) -> Response:
        """The answer as the proxy's pairs have it."""
        named = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers)
        return Response(self.status, named, self.body.encode(), False, 0.0)


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request of a corpus. `target` is path and query; headers by lower-case name.

    `answered` is of a write alone: the control's answer, with what it wrote.
    """

    method: str
    target: str
    headers: dict[str, str] = {}
    body: str = ""
    answered: Answered | None = None

    @property
    def request(self) -> Request:
        """The request as the proxy's pairs have it."""
        named = tuple(
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()
        )
        return Request(self.method, self.target, named, self.body.encode())


def without_secrets(request: Request) -> Asked:
    """Return a request as it may lie on a disk."""
    headers = {
        lower: value.decode("latin-1")
        for name, value in request.headers
        if (lower := name.decode("latin-1").lower()) in KEPT_HEADERS
    }
    body = request.body.decode("utf-8", "replace")
    if "json" in headers.get("content-type", ""):
        body = masking.json_text(body) if body else ""
    else:
        body = masking.text(masking.form(body))
    return Asked(request.method, masking.target(request.target), headers, body)


def distinct(requests: Iterable[Asked]) -> tuple[Asked, ...]:
    """Return the requests without repetitions, in their order."""
    return tuple({msgspec.json.encode(each): each for each in requests}.values())


def read_corpus(file: Path) -> tuple[Asked, ...]:
    """Return the requests of a file. Raises BadCorpus, naming the line."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise _bad(f"{file}: {error.strerror}") from None
    return tuple(_read(file, lines))


def write_corpus(file: Path, requests: Iterable[Asked]) -> None:
    """Write a file that its owner alone can read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in requests))


def _read(file: Path, lines: list[bytes]) -> Iterator[Asked]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield msgspec.json.decode(line, type=Asked)
            except msgspec.DecodeError as error:
                raise _bad(f"{file}, line {number}: {error}") from None


def _bad(found: str) -> BadCorpus:
    return BadCorpus(
        f"{found}; one JSON object with method and target a line is wanted",
        next="strangler compare record FILE        (or: strangler compare import HAR FILE)",
    )
