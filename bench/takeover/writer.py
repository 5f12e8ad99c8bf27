"""One client that writes to whichever database owns, and a record of what was acknowledged to it.

`python -m bench.takeover.writer MONOLITH SERVICE NUMBER` writes until its standard input is closed; then it
prints one JSON line a write: when it began, how long it took, the key, the value.
"""

import itertools
import json
import random
import sys
import threading
import time

import psycopg

PAUSE_SECONDS = 0.002
AGAIN_SECONDS = 0.003
NEW_KEYS = 100_000_000  # each writer's own keys begin at a multiple of it


def main() -> None:
    """Write until told to stop."""
    monolith, service, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    stop = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(stop,), daemon=True).start()
    owners = [psycopg.connect(url, autocommit=True) for url in (monolith, service)]
    chance = random.Random(number)
    acknowledged = []
    turn = 0
    own: list[int] = []
    print("writing", flush=True)
    while not stop.wait(PAUSE_SECONDS):
        turn += 1
        key = _next_key(chance, own, number, turn)
        began = time.time()
        _write(owners, key, turn)
        acknowledged.append((began, time.time() - began, key, turn))
    for write in acknowledged:
        print(json.dumps(write))


def _wait_for_the_end(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def _next_key(chance: random.Random, own: list[int], number: int, turn: int) -> int:
    if turn % 3 == 1 or not own:
        own.append(number * NEW_KEYS + turn)
        return own[-1]
    return chance.choice(own)


def _write(owners: list[psycopg.Connection], key: int, turn: int) -> None:
    """Write where it is taken; a fence's refusal did nothing, so the other side is asked."""
    for again in itertools.count():
        try:
            owners[0].execute(
                "INSERT INTO product (id, sku, name, price, attributes, turn) VALUES (%s, %s,"
                " 'new', 1, '{}', %s)"
                " ON CONFLICT (id) DO UPDATE SET turn = excluded.turn",
                [key, f"w-{key}", turn],
            )
        except psycopg.DatabaseError as refusal:
            if refusal.sqlstate != "SF001":
                raise
            owners.reverse()
            if again % 2:
                time.sleep(AGAIN_SECONDS)  # who is refused by both does not ask for ever
        else:
            return


if __name__ == "__main__":
    main()
