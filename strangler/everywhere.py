"""Put one version of the table in force on every other machine, and take it back; know who serves what.

Each machine replaces its own file only if that is the version the change was worked out on, as this one does.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from proxy.change import TableChange
from strangler.errors import KeyRefused, MachineDiffers, MachineUnreachable
from strangler.machines import Heard, Machine, Machines
from strangler.workers import MAX_CHANGE, Applied


@dataclass(frozen=True)
class MachineState:
    """One other machine: the versions its workers serve, or why that is not known (`fault`)."""

    name: str
    versions: tuple[str, ...]
    workers: int
    fault: str
    found: str = ""  # the version its file is at, empty where that is not known

    def serves(self, version: str) -> bool:
        """Return whether every worker of the machine is known to serve a version."""
        return not self.fault and self.versions == (version,)

    def in_words(self) -> str:
        """Return what is known of it, as a person reads it."""
        return self.fault or f"serves {' and '.join(self.versions) or 'nothing: no worker runs'}"


def machine_states(machines: Machines) -> tuple[MachineState, ...]:
    """Ask every other machine what its workers serve. Read-only."""
    return tuple(_state(heard) for heard in _ask(machines, {"verb": "version"}))


def require_version(machines: Machines, version: str) -> None:
    """Refuse to go on unless every other machine serves a version. Changes nothing."""
    for heard in _ask(machines, {"verb": "version"}):
        state = _state(heard)
        if heard.key_refused:
            raise KeyRefused(
                f"{state.name}: {heard.fault}; nothing was changed",
                next="export STRANGLER_ADMIN_KEY=…        (the same here and for every machine's proxy)",
            )
        if heard.fault:
            raise MachineUnreachable(
                f"{state.name}: {heard.fault}; nothing was changed anywhere",
                next="strangler status        (or take it out of STRANGLER_PROXIES while it is down)",
            )
        if not state.serves(version):
            raise MachineDiffers(
                f"{state.name} {state.in_words()}, this machine's table is at {version}; nothing was changed",
                next="strangler apply        (it gives this machine's table to all)",
            )


def put(machines: Machines, text: str, change: TableChange) -> tuple[MachineState, ...]:
    """Have every other machine serve what `change` makes of its base: `text`. Safe to run again."""
    question: dict[str, object] = {"verb": "replace", "text": text, "expected": change.base}
    told = msgspec.to_builtins(change)
    if len(msgspec.json.encode(told)) <= MAX_CHANGE:
        question["change"] = told
    return tuple(_state(heard) for heard in _ask(machines, question))


def put_in_place_of(machines: Machines, text: str, found: Mapping[Machine, str]) -> tuple[MachineState, ...]:
    """Have each of some machines replace the version it was found with by `text`."""
    states: list[MachineState] = []
    for machine, version in found.items():
        question = {"verb": "replace", "text": text, "expected": version}
        states += [_state(heard) for heard in _ask(Machines((machine,), machines.key), question)]
    return tuple(states)


def _ask(machines: Machines, question: Mapping[str, object]) -> tuple[Heard[Applied], ...]:
    if not machines.all:
        return ()
    from strangler.asking import ask_machines  # loads an HTTP client, and one machine needs none

    return ask_machines(machines, question, Applied)


def _state(heard: Heard[Applied]) -> MachineState:
    faults = [heard.fault] if heard.fault else []
    faults += [f"worker {silent.pid}: {silent.why}" for silent in heard.silent]
    faults += [
        f"worker {answer.pid} rejected {answer.rejected.version}: {answer.rejected.reason}"
        for answer in heard.answers
        if answer.rejected is not None
    ]
    versions = tuple(sorted({answer.version for answer in heard.answers}))
    rejected = {answer.rejected.version for answer in heard.answers if answer.rejected is not None}
    found = min(rejected or versions, default="")
    return MachineState(heard.machine.name, versions, len(heard.answers), "; ".join(faults), found)
