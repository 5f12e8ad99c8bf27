"""The other machines whose proxies follow this routing table: which they are, what one of them said. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from strangler.errors import BadMachines
from strangler.workers import Silent

T = TypeVar("T")

PROXIES = "STRANGLER_PROXIES"
KEY = "STRANGLER_ADMIN_KEY"


@dataclass(frozen=True)
class Machine:
    """One other machine: its proxy's admin address. `name` is its host and port."""

    url: str

    @property
    def name(self) -> str:
        """What it is called."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True)
class Machines:
    """Every other machine, and the key that opens their admin addresses."""

    all: tuple[Machine, ...] = ()
    key: str = field(default="", repr=False)


NO_MACHINES = Machines()


@dataclass(frozen=True)
class Heard(Generic[T]):
    """What one machine said: its workers' answers, or why there are none (`fault`)."""

    machine: Machine
    answers: tuple[T, ...] = ()
    silent: tuple[Silent, ...] = ()
    fault: str = ""
    key_refused: bool = False


def machines_of(environ: Mapping[str, str]) -> Machines:
    """Return the machines that the environment names. Raises BadMachines."""
    urls = [url.strip().rstrip("/") for url in environ.get(PROXIES, "").split(",") if url.strip()]
    for url in urls:
        if not _is_address(url):
            shown = url.rpartition("@")[2]  # what stands before it may be a password
            raise BadMachines(
                f"{PROXIES} has {shown!r}; wanted the admin addresses of the other machines' proxies",
                next=f"export {PROXIES}=http://10.0.0.2:8009,http://10.0.0.3:8009",
            )
    if len(set(urls)) < len(urls):
        raise BadMachines(f"{PROXIES} names a machine twice; wanted each once", next=f"export {PROXIES}=…")
    key = environ.get(KEY, "")
    if urls and not key:
        raise BadMachines(
            f"{PROXIES} names machines and {KEY} is not set; wanted the key of their proxies",
            next=f"export {KEY}=…",
        )
    return Machines(tuple(Machine(url) for url in urls), key)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is no port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and "@" not in url
        and url == f"{parts.scheme}://{parts.netloc}"
    )
