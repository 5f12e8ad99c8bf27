"""`strangler takeover cutover|rollback` as a process that stops at every numbered step until it may go on.

It prints each step, and goes on with each line that it reads.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from demo.place import ROOT, Place
from strangler.cli.here import here
from strangler.cli.takeover import Here
from strangler.errors import StranglerError
from strangler.table_file import read_table
from strangler.takeover.cutover import cutover
from strangler.takeover.rollback import rollback
from strangler.takeover.switch import Step

GROUP = "catalog"


class Coordinator:
    """One such process, as whoever kills it sees it."""

    def __init__(self, place: Place, verb: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.takeover_coordinator", verb],
            cwd=ROOT,
            env=dict(place.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def steps(self) -> Iterator[Step]:
        """Yield each step that it reaches; it goes on when the next is asked for. Ends with the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield Step(line.strip())
            with suppress(BrokenPipeError):
                self.process.stdin.write("\n")
                self.process.stdin.flush()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def main(verb: str) -> int:
    """Do one verb; return its exit code."""
    place = here()

    def reached(step: Step) -> None:
        print(step, flush=True)
        sys.stdin.readline()

    try:
        where = Here(place, read_table(place.table).table).where(GROUP, "a storm")
        (cutover if verb == "cutover" else rollback)(replace(where, reached=reached), execute=True)
    except StranglerError as error:
        print(error.message, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
