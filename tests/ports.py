"""Ports for servers of tests: below those that the system gives to clients, one of which could take a port in
the moment before its server does, and none that the run's other process gives out.
"""

import itertools
import os
import random

from strangler.ports import is_free

FIRST, EACH = 20_000, 6_000  # Linux gives clients 32,768 and above
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 2
_PORTS = range(FIRST + EACH * _WORKER, FIRST + EACH * (_WORKER + 1))
_given_out = itertools.count(random.randrange(EACH))


def free_port() -> int:
    """Return a port that nobody listens on, another one each time."""
    ports = (_PORTS[number % EACH] for number in _given_out)
    return next(port for port in ports if is_free(f"127.0.0.1:{port}"))


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on."""
    return [free_port() for _ in range(number)]
