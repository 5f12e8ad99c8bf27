"""The routing tables that the soak moves between. Pure."""

import random
from dataclasses import dataclass

from bench.soak.ask import READS, WRITES
from proxy.routes import Owner, Stage


@dataclass(frozen=True, slots=True)
class Stand:
    """Where reads stand, and who owns what the writes change: writes go to that side."""

    reads: Stage = Stage.MONOLITH
    percent: int = 50  # of a canary
    owner: Owner = Owner.MONOLITH


def another(chance: random.Random, than: Stand) -> Stand:
    """Return a stand that differs from the one there is."""
    stages = (Stage.MONOLITH, Stage.SHADOW, Stage.CANARY, Stage.SERVICE)
    while True:
        found = Stand(chance.choice(stages), chance.randint(1, 100), chance.choice(list(Owner)))
        if found != than:
            return found


def table(monolith_port: int, service_port: int, stand: Stand) -> str:
    """Return routes.toml. Its breaker opens soon and tries again soon: both happen often in a soak."""
    percent = f"percent = {stand.percent}\n" if stand.reads is Stage.CANARY else ""
    writes = Stage.SERVICE if stand.owner is Owner.SERVICE else Stage.MONOLITH
    return f"""version = 1
[upstreams.monolith]
url = "http://127.0.0.1:{monolith_port}"
[upstreams.service]
url = "http://127.0.0.1:{service_port}"
[groups.reads]
service = "service"
tables = ["soak_read"]
owner = "monolith"
[groups.writes]
service = "service"
tables = ["soak_written"]
owner = "{stand.owner}"
[[routes]]
name = "soak.read"
group = "reads"
path = "{READS}/{{rest...}}"
methods = ["GET", "HEAD"]
stage = "{stand.reads}"
{percent}{_LIMITS}fallback = {{ on = [503] }}
[[routes]]
name = "soak.write"
group = "writes"
path = "{WRITES}/{{rest...}}"
methods = ["POST", "PUT", "PATCH", "DELETE"]
stage = "{writes}"
{_LIMITS}"""


_LIMITS = """timeouts = { connect = 1, head = 4, total = 10 }
breaker = { volume = 20, window = 2, open = 0.3 }
"""
