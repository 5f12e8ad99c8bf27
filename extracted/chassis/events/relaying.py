"""Run a relay as a process: which courier an address means, how long it rests, what it says in the log."""

import logging
import signal
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from extracted.chassis.events.courier import Courier
from extracted.chassis.events.over_broker import BrokerCourier
from extracted.chassis.events.over_http import HttpCourier
from extracted.chassis.events.relay import Passed, Relay
from extracted.chassis.peers import Peer

IDLE = 0.2  # seconds until the next look
LONGEST = 15.0  # seconds until the next try where one after the other failed

log = logging.getLogger("events")


class BadAddress(Exception):
    """No courier goes to such an address."""


def courier_to(url: str, peer_key: str, subscribers: Sequence[str]) -> Courier:
    """Return the courier for an address. Connects to nothing yet. Raises BadAddress."""
    scheme = urlsplit(url).scheme
    if scheme in {"amqp", "amqps"}:
        return BrokerCourier(url, subscribers)
    if scheme not in {"http", "https"}:
        raise BadAddress(f"{url!r}: wanted http(s)://… or amqp(s)://…")
    if not peer_key:
        raise BadAddress(f"{url!r}: STRANGLER_PEER_KEY is wanted, by which the receiver knows the sender")
    return HttpCourier(Peer(url, peer_key))


def relay_until_stopped(relay: Relay) -> None:
    """Pass on what comes, until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    relay_until(stop, relay)


def relay_until(stop: threading.Event, relay: Relay) -> None:
    """Pass on what comes, until told to stop. Whatever fails is tried again, ever less often."""
    rest, said = IDLE, ""
    while not stop.wait(rest):
        done = _turn(relay)
        if done.fault != said:
            log.warning("events wait: %s", done.fault) if done.fault else log.info("events pass again")
            said = done.fault
        rest = min(LONGEST, rest * 2) if done.fault and not done.events else IDLE


def _turn(relay: Relay) -> Passed:
    try:
        return relay.turn()
    except SQLAlchemyError as fault:
        return Passed(0, f"the database does not answer ({type(fault).__name__})")
