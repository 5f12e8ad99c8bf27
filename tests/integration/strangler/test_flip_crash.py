"""A flip that is killed at any moment: the table stays whole, and no change is ever without a record."""

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.routes import Stage
from strangler.audit import Action, Audit, Outcome
from strangler.flip import back
from strangler.table_file import read_table

# Python tells an audit hook of every file and socket it is about to touch: the moments at which to die.
KILLED_AT = """
import os, signal, sys
from pathlib import Path
from strangler.actor import Actor
from strangler.flip import flip
from strangler.installation import Installation
from strangler.steps import Forward
import requests, idna, urllib3.util.ssl_  # nothing is left to import while the moments are counted

root, moment = Path(sys.argv[1]), int(sys.argv[2])
seen = 0

def die(event, arguments):
    global seen
    if event in ("open", "os.rename", "os.remove", "fcntl.flock", "socket.connect"):
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die)
place = Installation(root, root / "proxy/routes.toml", root / "var")
flip(place, "catalog.products", Forward(), Actor("ann"))
"""


def flip_killed_at(root: Path, moment: int) -> bool:
    """Flip in a process that dies at its n-th moment; False when it got through before that."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT, str(root), str(moment)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


@pytest.fixture
def start(place):
    return place.table.read_text()


def test_a_flip_killed_at_any_moment_leaves_no_change_unrecorded(place, ann, hire, start):
    hire(101)
    fates = set()
    for moment in itertools.count(1):
        place.table.write_text(start)
        place.audit.unlink(missing_ok=True)
        if not flip_killed_at(place.root, moment):
            break
        fates.add(fate_of_a_killed_flip(place, ann))
    assert moment > 10
    assert fates == {"untouched", "abandoned", "applied", "complete"}


def fate_of_a_killed_flip(place, ann) -> str:
    chain = Audit(place.audit).read()
    assert chain.faults == ()
    stage = read_table(place.table).table.routes["catalog.products"].stage
    if not chain.lines:
        assert stage is Stage.MONOLITH
        return "untouched"
    if len(chain.lines) == 2:
        assert stage is Stage.SHADOW
        return "complete"
    if stage is Stage.SHADOW:
        back(place, "catalog.products", None, "", ann)
    else:
        back(place, "catalog.edit", None, "", ann)
    found = Audit(place.audit).read().lines[1].record
    expected = Outcome.APPLIED if stage is Stage.SHADOW else Outcome.ABANDONED
    assert (found.action, found.of, found.outcome) == (Action.OUTCOME, 1, expected)
    return str(expected)
