"""Staff who write into the catalog through the proxy, one write after the other, each with a name of its
own.
"""

import random

import requests

from demo.traffic import PASSWORD
from tests.e2e.takeover_ledger import Fate, Ledger, Write
from tests.e2e.takeover_threads import Threads

PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 40.0  # longer than the proxy holds writes
OWN_PRODUCTS = 8
MOVED = "X-Strangler-Moved"


class Staff(Threads):
    """Clients of the proxy. What they never expect is kept in `surprises`."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__(number)
        self.ledger = Ledger()
        self.surprises: list[str] = []
        self._url = url
        self._sessions = [self._signed_in() for _ in range(number)]

    def run(self, number: int) -> None:
        """Make products and rename them until told to stop. A product of unknown fate is left alone."""
        with self._sessions[number] as session:
            own: dict[str, int] = {}
            chance = random.Random(number)
            turn = 0
            while not self._stop.wait(PAUSE_SECONDS):
                turn += 1
                if turn % 4 == 1 or not own:
                    self._make(session, f"STORM-{number}-{turn}", own)
                else:
                    self._rename(session, chance.choice(list(own)[-OWN_PRODUCTS:]), turn, own)

    def _signed_in(self) -> requests.Session:
        session = requests.Session()
        body = {"username": "staff1", "password": PASSWORD}
        session.post(f"{self._url}/api/accounts/login/", json=body, timeout=10).raise_for_status()
        return session

    def _make(self, session: requests.Session, sku: str, own: dict[str, int]) -> None:
        name = f"{sku} first"
        body = {"sku": sku, "name": name, "slug": sku.lower(), "category_id": 1, "price": "9.90"}
        fate, answer = self._send(session, "POST", "/api/products/", body)
        self.ledger.add(Write(sku, name, True, fate))
        if fate is Fate.DONE and answer is not None:
            own[sku] = answer.json()["id"]

    def _rename(self, session: requests.Session, sku: str, turn: int, own: dict[str, int]) -> None:
        name = f"{sku} turn {turn}"
        fate, _ = self._send(session, "PATCH", f"/api/products/{own[sku]}/", {"name": name})
        self.ledger.add(Write(sku, name, False, fate))
        if fate is Fate.UNKNOWN:
            del own[sku]

    def _send(
        self, session: requests.Session, method: str, path: str, body: dict[str, object]
    ) -> tuple[Fate, requests.Response | None]:
        headers = {"X-CSRFToken": session.cookies.get("csrftoken", "")}
        try:
            answer = session.request(
                method, self._url + path, json=body, headers=headers, timeout=PATIENCE_SECONDS
            )
        except requests.RequestException:
            return Fate.UNKNOWN, None
        fate = fate_of(answer.status_code, answer.headers.get(MOVED, ""))
        if fate is Fate.REFUSED and MOVED not in answer.headers:
            self.surprises.append(f"{method} {path} {body}: {answer.status_code} {answer.text[:200]}")
        return fate, answer


def fate_of(status: int, moved: str) -> Fate:
    """Return what an answer says of its write; `moved` is what a fence's refusal says of its effect."""
    if status < 300:
        return Fate.DONE
    if status >= 500 or (moved and "effect=none" not in moved):
        return Fate.UNKNOWN
    return Fate.REFUSED
