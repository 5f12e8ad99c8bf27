"""The main job, for real: flip a route of the shop under traffic, compare, lose the service, come back."""

import json
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from demo.place import Failed, Place
from demo.traffic import Traffic
from proxy.routes import Stage
from strangler.actor import current_actor
from strangler.evidence import verdict_counts
from strangler.flip import back, flip
from strangler.installation import Installation, find_installation
from strangler.steps import Forward
from strangler.supervising import Supervisor, supervisor
from strangler.workers import worker_statuses
from tests.e2e.conftest import PRODUCTS

ROUTE = "catalog.products"
PATH = "/api/products/"


def installation(place: Place) -> Installation:
    return find_installation(Path.cwd(), place.environment)


def wait_for(what: Callable[[], bool], seconds: float = 60.0) -> None:
    """Poll until `what` holds; fail with its name when it does not in time."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"{what.__name__} did not come true within {seconds:g} s"
        time.sleep(0.02)


def answered(place: Place) -> Counter[str]:
    """Return how often each target answered the route, over all workers."""
    totals: Counter[str] = Counter()
    for worker in worker_statuses(place.var / "proxy").answers:
        for target, count in worker.counts.get(ROUTE, {}).items():
            totals[target] += count.requests
    return totals


def move(place: Place, *arguments: str) -> dict[str, object]:
    answer: dict[str, object] = json.loads(place.strangler(*arguments, "--json"))
    return answer


@contextmanager
def supervising(place: Place) -> Iterator[Supervisor]:
    with supervisor(installation(place)) as running:
        assert running is not None
        yield running


@contextmanager
def stopped(place: Place, part: str) -> Iterator[None]:
    with supervising(place) as running:
        running.stop(part)
        try:
            yield
        finally:
            running.start(part)


def kill_nine(place: Place, part: str) -> None:
    """Kill a part, master and workers at once, as a machine that dies would."""
    with supervising(place) as running:
        (pid,) = [each.pid for each in running.parts() if each.name == part]
    assert pid is not None
    master = psutil.Process(pid)
    # The master first: it would put another worker in a dead one's place, and that one would keep the port.
    for process in (master, *master.children(recursive=True)):
        os.kill(process.pid, signal.SIGKILL)


def test_forty_flips_under_traffic_cost_no_client_an_error(at_monolith: Place) -> None:
    with Traffic(at_monolith.url, PRODUCTS, visitors=4, customers=1) as traffic:
        here, who = installation(at_monolith), current_actor(at_monolith.environment)
        for _ in range(20):
            there = flip(here, ROUTE, Forward(Stage.SERVICE, None, True, "test", force=True), who)
            again = back(here, ROUTE, Stage.MONOLITH, "test", who)
            assert len(there.acknowledged) == len(again.acknowledged) == 2

        def clients_saw_it() -> bool:
            return {"monolith", "catalog"} <= answered(at_monolith).keys()

        wait_for(clients_saw_it)
        samples = traffic.samples.cut()
    assert [sample for sample in samples if sample.problem] == []
    assert samples


def test_every_shadow_pair_gets_a_verdict_and_they_match(at_monolith: Place) -> None:
    move(at_monolith, "flip", ROUTE, "shadow")
    before = Counter(verdict_counts(at_monolith.var / "compare.sqlite3").get(ROUTE, {}))
    paths = [f"{PATH}?page={page}&ordering=price" for page in range(1, 11)]
    paths += [f"{PATH}?search=lamp", f"{PATH}?price_min=x", f"{PATH}?page=999", f"{PATH}?page_size=100"]
    for path in paths:
        requests.get(at_monolith.url + path, timeout=10)

    def verdicts() -> Counter[str]:
        return Counter(verdict_counts(at_monolith.var / "compare.sqlite3").get(ROUTE, {})) - before

    def all_compared() -> bool:
        return verdicts().total() == len(paths)

    wait_for(all_compared)
    assert verdicts().keys() <= {"MATCH", "EXPECTED"}


def test_a_dead_service_is_answered_for_by_the_monolith(at_monolith: Place) -> None:
    move(at_monolith, "flip", ROUTE, "service", "--skip", "--force", "--reason", "test")
    assert requests.get(at_monolith.url + PATH, timeout=10).status_code == 200
    with stopped(at_monolith, "catalog"):
        before = answered(at_monolith)["monolith"]
        assert requests.get(at_monolith.url + PATH, timeout=10).status_code == 200
        assert answered(at_monolith)["monolith"] == before + 1
        assert requests.get(at_monolith.url + "/api/categories/", timeout=10).status_code == 200
        move(at_monolith, "back", ROUTE, "monolith")
        assert requests.get(at_monolith.url + PATH, timeout=10).status_code == 200


def test_a_service_killed_while_it_answers_leaves_the_rest_of_the_shop_untouched(
    at_monolith: Place,
) -> None:
    move(at_monolith, "flip", ROUTE, "service", "--skip", "--force", "--reason", "test")
    flipped = answered(at_monolith)["catalog"]
    with Traffic(at_monolith.url, PRODUCTS, visitors=4, customers=0) as traffic:

        def the_service_answers() -> bool:
            return answered(at_monolith)["catalog"] > flipped + 20

        wait_for(the_service_answers)
        kill_nine(at_monolith, "catalog")
        move(at_monolith, "back", ROUTE, "monolith")
        at_the_kill = traffic.samples.cut()
        after = []

        def traffic_goes_on() -> bool:
            after.extend(traffic.samples.cut())
            return len(after) > 40

        wait_for(traffic_goes_on)
    hurt = [sample for sample in at_the_kill if sample.problem]
    assert {sample.path.partition("?")[0] for sample in hurt} <= {PATH}
    assert all(sample.problem.startswith(("502", "503", "ChunkedEncodingError")) for sample in hurt)
    late = [sample for sample in after[8:] if sample.problem]  # a request of each client was under way
    assert late == []

    def the_service_is_back() -> bool:
        try:
            health = f"http://{at_monolith.environment['CATALOG_BIND']}/healthz"
            return requests.get(health, timeout=5).ok
        except requests.RequestException:
            return False

    wait_for(the_service_is_back)


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ('url = "http://', 'url = "ftp://'),
        ('service = "catalog"', 'service = "catalgo"'),
        ('name = "catalog.product"', 'name = "catalog.products"'),
        ('stage = "monolith"', 'stage = "canary"\npercent = 101'),
        ("[[routes]]", "[[routes"),
    ],
    ids=["bad url", "unknown upstream", "duplicate name", "bad percent", "broken TOML"],
)
def test_a_bad_edit_is_refused_and_the_last_good_table_serves_on(
    at_monolith: Place, find: str, put: str
) -> None:
    file = at_monolith.var / "routes.toml"
    good = file.read_text()
    assert find in good
    try:
        file.write_text(good.replace(find, put, 1))

        def every_worker_rejected_it() -> bool:
            workers = worker_statuses(at_monolith.var / "proxy").answers
            return len(workers) == 2 and all(worker.rejected for worker in workers)

        wait_for(every_worker_rejected_it)
        assert requests.get(at_monolith.url + PATH, timeout=10).status_code == 200
        status = json.loads(at_monolith.strangler("status", "--json"))
        assert "rejected" in json.dumps(status)
        with pytest.raises(Failed, match="S2"):
            at_monolith.strangler("flip", ROUTE)
    finally:
        file.write_text(good)

    def every_worker_serves_again() -> bool:
        return all(worker.rejected is None for worker in worker_statuses(at_monolith.var / "proxy").answers)

    wait_for(every_worker_serves_again)


def test_an_edit_by_hand_is_as_good_as_a_flip(at_monolith: Place) -> None:
    file = at_monolith.var / "routes.toml"
    text = file.read_text()
    at = text.index(f'name = "{ROUTE}"')
    file.write_text(text[:at] + text[at:].replace('stage = "monolith"', 'stage = "service"', 1))
    before = answered(at_monolith)["catalog"]

    def the_service_answers() -> bool:
        requests.get(at_monolith.url + PATH, timeout=10)
        return answered(at_monolith)["catalog"] > before

    wait_for(the_service_answers)


def test_a_second_stack_in_the_same_folder_is_refused(stack: Place) -> None:
    with pytest.raises(Failed, match="S1") as refusal:
        stack.strangler("up")
    assert "Traceback" not in str(refusal.value)
    assert "next:" in str(refusal.value)


def test_a_route_at_service_costs_the_monolith_no_request_at_all(at_monolith: Place) -> None:
    move(at_monolith, "flip", ROUTE, "service", "--skip", "--force", "--reason", "test")

    def who_answers(requests_sent: int) -> Counter[str]:
        before = answered(at_monolith)
        for _ in range(requests_sent):
            assert requests.get(at_monolith.url + PATH, timeout=10).status_code == 200
        return answered(at_monolith) - before

    def every_breaker_is_closed() -> bool:  # a test before this one may have killed the service
        return who_answers(8) == {"catalog": 8}

    wait_for(every_breaker_is_closed)
    assert who_answers(30) == {"catalog": 30}


def test_the_copy_holds_what_the_monolith_holds(stack: Place) -> None:
    def rows(file: str) -> int:
        connection = sqlite3.connect(stack.var / file)
        try:
            (number,) = connection.execute("SELECT count(*) FROM catalog_product").fetchone()
        finally:
            connection.close()
        return int(number)

    assert rows("catalog.sqlite3") == rows("monolith.sqlite3") == PRODUCTS
