"""Give this machine's table to every one that does not serve it: that was down, or missed a change."""

from dataclasses import dataclass

from strangler.actor import Actor
from strangler.everywhere import MachineState, machine_states, put_in_place_of
from strangler.installation import Installation
from strangler.table_file import change_lock, expect_version, read_table
from strangler.workers import Applied, Replies, apply_table


@dataclass(frozen=True)
class Pushed:
    """What serves `version` now: this machine's workers, and every other machine.

    `took` names the machines that did not serve it before.
    """

    version: str
    workers: Replies[Applied]
    machines: tuple[MachineState, ...]
    took: tuple[str, ...]

    @property
    def everywhere(self) -> bool:
        """Whether every worker of every machine serves the version."""
        here = not self.workers.silent and all(each.version == self.version for each in self.workers.answers)
        return here and all(state.serves(self.version) for state in self.machines)


def push(place: Installation, actor: Actor) -> Pushed:
    """Have every worker of every machine serve the table's file as it stands. Safe to run again."""
    seen = read_table(place.table)
    version = seen.table.version
    with change_lock(place.lock, actor.name):
        expect_version(place.table, version)
        workers = apply_table(place.control)
        before = machine_states(place.machines)
        behind = {
            machine: state.found
            for machine, state in zip(place.machines.all, before, strict=True)
            if state.found and not state.serves(version)
        }
        after = {state.name: state for state in put_in_place_of(place.machines, seen.text, behind)}
    states = tuple(after.get(state.name, state) for state in before)
    took = tuple(name for name, state in after.items() if state.serves(version))
    return Pushed(version, workers, states, took)
