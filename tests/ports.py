"""Ports for servers of tests: below those that the system gives to clients, one of which could take a port in
the moment before its server does, and none that another process of the run gives out.
"""

import itertools
import os
import random

from strangler.ports import is_free

ALL = range(20_000, 32_000)  # Linux gives clients 32,768 and above
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_OURS = ALL[_WORKER::_WORKERS]
_given_out = itertools.count(random.randrange(len(_OURS)))


def free_port() -> int:
    """Return a port that nobody listens on, another one each time."""
    ports = (_OURS[number % len(_OURS)] for number in _given_out)
    return next(port for port in ports if is_free(f"127.0.0.1:{port}"))


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on."""
    return [free_port() for _ in range(number)]
