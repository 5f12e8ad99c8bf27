"""Live pairs on the real stack, while the copy stands still: lag shuts no gate, and hides no difference."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from demo.place import Place
from demo.traffic import PASSWORD
from strangler.compare.reading import Reader
from strangler.compare.store import Kept
from strangler.compare.verdict import Reason, Verdict
from strangler.evidence import known_of, verdict_counts
from strangler.gate import Passage
from strangler.gates import gates
from strangler.workers import worker_statuses
from tests.e2e.conftest import new_place
from tests.e2e.test_first_flip import installation, wait_for

ROUTE = "catalog.product"
DETAIL = "/api/products/{}/"


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The stack with the products' details at `shadow`, and a copy that follows."""
    place = new_place(tmp_path_factory.mktemp("l") / "var")
    place.strangler("up")
    try:
        place.manage("seed", "--products", "30", "--orders", "5", "--seed", "7")
        place.strangler("takeover", "start", "catalog", "--execute")
        place.strangler("flip", ROUTE, "shadow")

        def every_worker_knows_the_copy() -> bool:
            workers = worker_statuses(place.var / "proxy").answers
            return len(workers) == 2 and all(each.groups["catalog"].copied for each in workers)

        wait_for(every_worker_knows_the_copy)
        yield place
    finally:
        place.strangler("down")


def _signed_in(place: Place, name: str) -> requests.Session:
    session = requests.Session()
    credentials = {"username": name, "password": PASSWORD}
    session.post(f"{place.url}/api/accounts/login/", json=credentials, timeout=10).raise_for_status()
    session.headers["X-CSRFToken"] = session.cookies["csrftoken"]
    return session


def _kept(place: Place, verdict: Verdict) -> list[Kept]:
    with Reader(place.var / "compare.sqlite3") as reader:
        return [each for each in reader.kept(ROUTE) if each.judged.comparison.verdict is verdict]


def _waiting(place: Place) -> int:
    return known_of(place.var / "compare.sqlite3", ROUTE, 24, datetime.now(UTC).timestamp()).waiting


def _counted(place: Place) -> Counter[str]:
    return Counter(verdict_counts(place.var / "compare.sqlite3").get(ROUTE, {}))


def test_a_write_that_the_copy_lacks_waits_and_is_then_neither_a_difference_nor_a_match(stack: Place) -> None:
    with _signed_in(stack, "staff1") as staff, _signed_in(stack, "customer1") as customer:
        listed = staff.get(f"{stack.url}/api/products/", timeout=10).json()["results"]
        changed, other = (DETAIL.format(row["id"]) for row in listed[:2])
        stack.strangler("takeover", "pace", "catalog", "--pause")
        staff.patch(stack.url + changed, json={"price": "98765.43"}, timeout=10).raise_for_status()
        for reader in (customer, requests):
            assert reader.get(stack.url + changed, timeout=10).json()["price"] == "98765.43"
        requests.get(stack.url + other, timeout=10)

        def both_wait() -> bool:
            return _waiting(stack) == 2 and _counted(stack) == {"MATCH": 1}

        wait_for(both_wait)
        (answer,) = gates(installation(stack), ROUTE, datetime.now(UTC))
        assert answer.gate is not None
        assert answer.gate.passage is Passage.INCONCLUSIVE
        assert any("second look: 2" in reason for reason in answer.gate.reasons)
        stack.strangler("takeover", "pace", "catalog")

        def both_are_explained() -> bool:
            return _counted(stack) == {"MATCH": 1, "NOT_COMPARABLE": 2}

        wait_for(both_are_explained)
    lagging = [each.judged.comparison for each in _kept(stack, Verdict.NOT_COMPARABLE)]
    assert {each.obstacle and each.obstacle.reason for each in lagging} == {Reason.REPLICATION_LAG}
    assert all("$.price" in (each.obstacle.detail if each.obstacle else "") for each in lagging)
