"""Put a question to every worker of every other machine, at its proxy's admin address and with its key.

All machines are asked at the same time. Carries any question of the proxy's control protocol.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
import requests

from strangler.machines import Heard, Machine, Machines
from strangler.workers import Silent

T = TypeVar("T")

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 10.0


def ask_machines(
    machines: Machines, question: Mapping[str, object], answer: type[T], seconds: float = ANSWER_SECONDS
) -> tuple[Heard[T], ...]:
    """Put a question to every worker of every other machine, and hear each machine."""
    if not machines.all:
        return ()
    body = msgspec.json.encode(question)

    def ask(machine: Machine) -> Heard[T]:
        return _ask(machine, machines.key, body, answer, seconds)

    with ThreadPoolExecutor(len(machines.all)) as threads:
        return tuple(threads.map(ask, machines.all))


class _Worker(msgspec.Struct, frozen=True):
    pid: int
    answer: dict[str, Any] | None = None
    silent: str = ""


class _Workers(msgspec.Struct, frozen=True):
    workers: tuple[_Worker, ...] = ()
    error: str = ""


def _ask(machine: Machine, key: str, body: bytes, answer: type[T], seconds: float) -> Heard[T]:
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy from the environment would see the key
            got = session.post(
                machine.url + "/control",
                data=body,
                headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
                timeout=(CONNECT_SECONDS, seconds),
                allow_redirects=False,
            )
    except requests.RequestException as error:
        return Heard(machine, fault=_reason(error))
    if got.status_code in (401, 404):
        why = "it takes no key" if got.status_code == 404 else "it refused the key"
        return Heard(machine, fault=why, key_refused=True)
    try:
        said = msgspec.json.decode(got.content, type=_Workers)
    except msgspec.DecodeError:
        return Heard(machine, fault=f"status {got.status_code}, and an answer that is none")
    if got.status_code != 200:
        return Heard(machine, fault=said.error or f"status {got.status_code}")
    return _heard(machine, said, answer)


def _heard(machine: Machine, said: _Workers, answer: type[T]) -> Heard[T]:
    answers: list[T] = []
    silent: list[Silent] = []
    for worker in said.workers:
        if worker.answer is None:
            silent.append(Silent(worker.pid, worker.silent))
            continue
        try:
            answers.append(msgspec.convert(worker.answer, answer, strict=False))
        except msgspec.ValidationError as error:
            silent.append(Silent(worker.pid, f"an answer that is none: {error}"))
    return Heard(machine, tuple(answers), tuple(silent))


def _reason(error: requests.RequestException) -> str:
    """Return what the operating system said, not how the library wrapped it."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return str(cause) or type(cause).__name__
