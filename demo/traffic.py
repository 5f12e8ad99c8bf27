"""Live traffic for the shop: anonymous visitors who browse, signed-in customers who buy, staff who look.

Every answer is judged as a client would: the expected status, JSON where JSON was promised. What is bought
changes carts, orders, stock and payments, and leaves the catalog's tables alone.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

PASSWORD = "strangler"  # noqa: S105 - of the seeded users, on this machine only
CARD = "4242424242424242"
SHIP_TO = {
    "name": "Ada Lovelace",
    "street": "St James's Square 12",
    "postcode": "SW1Y 4JH",
    "city": "London",
    "country": "GB",
}
SECONDS = 10.0  # a client's patience with one answer
WORDS = ("lamp", "desk", "blue", "oak", "pro", "mini", "ä")
LOOKS = 4  # of one visitor; then somebody else comes, with another browser


@dataclass(frozen=True, slots=True)
class Sample:
    """One request as its client saw it. `problem` is empty where all was well."""

    method: str
    path: str
    seconds: float
    problem: str


class Samples:
    """What all clients saw, cut into the steps of the story."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples: list[Sample] = []

    def add(self, sample: Sample) -> None:
        with self._lock:
            self._samples.append(sample)

    def cut(self) -> list[Sample]:
        """Return the samples since the last cut."""
        with self._lock:
            samples, self._samples = self._samples, []
        return samples


class Client:
    """One person with one browser: a session, its cookies, its patience."""

    def __init__(self, url: str, seed: int, samples: Samples, products: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - whose next click needs no secrecy
        self.products = products
        self._url = url
        self._samples = samples
        self._session = requests.Session()

    def ask(self, method: str, path: str, *, wanted: int = 200, body: dict[str, Any] | None = None) -> Any:
        """Ask once; return the JSON answer, or None. Whatever is not as wanted becomes a problem."""
        started = time.perf_counter()
        problem, answer = "", None
        try:
            response = self._session.request(
                method, self._url + path, json=body, headers=self._headers(), timeout=SECONDS
            )
            if response.status_code != wanted:
                problem = f"{response.status_code} instead of {wanted}: {response.text[:120]}"
            elif response.content and "json" in response.headers.get("Content-Type", ""):
                answer = response.json()
        except (requests.RequestException, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
        self._samples.add(Sample(method, path, time.perf_counter() - started, problem))
        return answer

    def _headers(self) -> dict[str, str]:
        token = self._session.cookies.get("csrftoken")
        return {"X-CSRFToken": token} if token else {}

    def leave(self) -> None:
        """Close the browser: the next request is somebody else's."""
        self._session.close()
        self._session = requests.Session()


def visit(client: Client) -> None:
    """A few looks of an anonymous visitor, who then leaves."""
    for _ in range(LOOKS):
        look(client)
    client.leave()


def look(client: Client) -> None:
    """Open a page or a list, and one of the things that it lists."""
    path = _click(client)
    listed = client.ask("GET", path)
    if listed and listed["results"]:
        chosen = client.random.choice(listed["results"])
        client.ask("GET", f"{path.partition('?')[0]}{chosen['id']}/")


def _click(client: Client) -> str:
    """Return a page or a list; products, categories and reviews alike often."""
    pick = client.random
    number = pick.randint(1, client.products)
    page = pick.randint(1, 5)
    low = pick.randint(1, 50)
    word = pick.choice(WORDS)
    size = pick.randint(1, 30)
    products = (
        f"/api/products/?page={page}",
        f"/api/products/?page={page}&ordering=price",
        f"/api/products/?search={word}",
        f"/api/products/?price_min={low}&price_max={low + 40}&page_size=10",
        f"/api/products/?ordering=-created_at&page_size={size}",
        "/",
        "/bestsellers/",
    )
    categories = ("/api/categories/", f"/api/categories/?page_size={size}")
    reviews = (
        f"/api/reviews/?page={page}",
        f"/api/reviews/?product={number}",
        f"/api/reviews/?page_size={size}",
    )
    return pick.choice(pick.choice((products, categories, reviews)))


class SignedIn:
    """Somebody with a name, who signs in once and then acts again and again."""

    def __init__(self, name: str, act: Callable[[Client], None]) -> None:
        self._name = name
        self._act = act
        self._signed_in = False

    def __call__(self, client: Client) -> None:
        if not self._signed_in:
            client.ask("POST", "/api/accounts/login/", body={"username": self._name, "password": PASSWORD})
            self._signed_in = True
        self._act(client)


def shop(client: Client) -> None:
    """Look around, fill a cart, buy, look at the order."""
    look(client)
    listed = client.ask("GET", f"/api/products/?page={client.random.randint(1, 5)}")
    if not listed:
        return
    chosen = client.random.choice(listed["results"])
    stock = client.ask("GET", f"/api/stock/{chosen['id']}/")
    if not stock or stock["available"] < 1:
        return
    client.ask("DELETE", "/api/cart/", wanted=204)
    client.ask("POST", "/api/cart/lines/", wanted=201, body={"product": chosen["id"], "quantity": 1})
    order = client.ask("POST", "/api/orders/", wanted=201, body={"ship_to": SHIP_TO, "card_number": CARD})
    if order:
        client.ask("GET", f"/api/orders/{order['id']}/")
        client.ask("POST", f"/api/orders/{order['id']}/cancel/")  # so that the stock never runs out


class Traffic:
    """Clients in threads, until told to stop. Each pauses as people do, so that two cores carry it."""

    PAUSE_SECONDS = 0.05

    def __init__(self, url: str, products: int, visitors: int, customers: int, staff: int = 0) -> None:
        self.samples = Samples()
        self._stop = threading.Event()
        acts: list[Callable[[Client], None]] = [visit] * visitors
        acts += [SignedIn(f"customer{number + 1}", shop) for number in range(customers)]
        acts += [SignedIn("staff1", look) for _ in range(staff)]
        self._threads = [
            threading.Thread(target=self._run, args=(act, Client(url, seed, self.samples, products)))
            for seed, act in enumerate(acts)
        ]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, act: Callable[[Client], None], client: Client) -> None:
        while not self._stop.wait(self.PAUSE_SECONDS):
            act(client)
        client.leave()
