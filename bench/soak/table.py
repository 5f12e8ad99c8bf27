"""The routing tables that the soak moves between. Pure."""

import random
from dataclasses import dataclass, replace

from bench.soak.ask import GROUP, READS, WRITES
from proxy.routes import Owner, Stage


@dataclass(frozen=True, slots=True)
class Stand:
    """Where reads stand, and who owns what the writes change: writes go to that side."""

    reads: Stage = Stage.MONOLITH
    percent: int = 50  # of a canary
    owner: Owner = Owner.MONOLITH


def flipped(chance: random.Random, stand: Stand) -> Stand:
    """Return a stand with reads at another stage, or another share of them."""
    stages = (Stage.MONOLITH, Stage.SHADOW, Stage.CANARY, Stage.SERVICE)
    return replace(stand, reads=chance.choice(stages), percent=chance.randint(1, 100))


def moved(stand: Stand) -> Stand:
    """Return a stand whose writes belong to the other side."""
    return replace(stand, owner=Owner.MONOLITH if stand.owner is Owner.SERVICE else Owner.SERVICE)


def table(monolith_port: int, service_port: int, stand: Stand) -> str:
    """Return routes.toml. Its breaker opens soon and tries again soon: both happen often in a soak."""
    percent = f"percent = {stand.percent}\n" if stand.reads is Stage.CANARY else ""
    writes = Stage.SERVICE if stand.owner is Owner.SERVICE else Stage.MONOLITH
    return f"""version = 1
[upstreams.monolith]
url = "http://127.0.0.1:{monolith_port}"
[upstreams.service]
url = "http://127.0.0.1:{service_port}"
[groups.{GROUP}]
service = "service"
tables = ["soak_written"]
owner = "{stand.owner}"
[[routes]]
name = "soak.read"
group = "{GROUP}"
path = "{READS}/{{rest...}}"
methods = ["GET", "HEAD"]
stage = "{stand.reads}"
{percent}{_LIMITS}fallback = {{ on = [503] }}
[[routes]]
name = "soak.write"
group = "{GROUP}"
path = "{WRITES}/{{rest...}}"
methods = ["POST", "PUT", "PATCH", "DELETE"]
stage = "{writes}"
{_LIMITS}"""


_LIMITS = """timeouts = { connect = 1, head = 4, total = 10 }
breaker = { volume = 20, window = 2, open = 0.3 }
"""
