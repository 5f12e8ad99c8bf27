"""Signed in on Django, known to Flask: the real stack, with the catalog owned by its service."""

import contextlib
import json
from collections.abc import Iterator

import jwt
import psutil
import pytest
import requests

from demo.place import Place
from strangler.workers import worker_statuses
from tests.e2e.conftest import new_place
from tests.e2e.test_first_flip import stopped

READS = ("catalog.categories", "catalog.products", "catalog.product", "catalog.reviews", "catalog.review")
PASSWORD = "a long enough pass phrase"
USERS = """
from shop.accounts.models import User
User.objects.create_user("ada", password="{password}", first_name="Ada", last_name="Lovelace")
User.objects.create_user("boss", password="{password}", is_staff=True)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The shop with sliding sessions; the service answers and owns the catalog, writes too."""
    place = new_place(tmp_path_factory.mktemp("i") / "var")
    environment = {
        **place.environment,
        "MONOLITH_SLIDING_SESSIONS": "true",
        "MONOLITH_LOGIN_RATE": "600/min",
        "MONOLITH_LOG_LEVEL": "WARNING",
    }
    place = Place(place.var, environment)
    place.strangler("up")
    try:
        place.manage("seed", "--products", "20", "--orders", "5", "--seed", "7")
        place.manage("shell", "--no-imports", "--command", USERS.format(password=PASSWORD))
        place.strangler("takeover", "start", "catalog", "--execute")
        place.strangler("takeover", "verify", "catalog")
        place.strangler("takeover", "cutover", "catalog", "--execute")
        for route in READS:
            place.strangler("flip", route, "service", "--skip", "--force", "--reason", "test")
        yield place
    finally:
        place.strangler("down")


class Browser(requests.Session):
    """A client with cookies, that sends its CSRF token as scripts do."""

    def __init__(self, place: Place, name: str = "") -> None:
        super().__init__()
        self.base = place.url
        if name:
            credentials = {"username": name, "password": PASSWORD}
            answer = self.post("/api/accounts/login/", json=credentials)
            assert answer.status_code == 200, answer.text

    def request(self, method: str, url: str, *args: object, **options: object) -> requests.Response:
        headers = {"X-CSRFToken": self.cookies.get("csrftoken", "")} | (options.pop("headers", None) or {})
        return super().request(method, self.base + url, *args, headers=headers, timeout=10, **options)


def a_product(browser: Browser, number: int = 0) -> int:
    return int(browser.get("/api/products/").json()["results"][number]["id"])


def review(browser: Browser, number: int, **options: object) -> requests.Response:
    body = {"product": a_product(browser, number), "rating": 5, "title": "Fine", "body": "so"}
    return browser.post("/api/reviews/", json=body, **options)


def asked_of_the_monolith(place: Place) -> int:
    """Return how many requests the proxy sent to the monolith on the catalog's routes."""
    counts = (worker.counts for worker in worker_statuses(place.var / "proxy").answers)
    return sum(
        count.requests
        for routes in counts
        for name, targets in routes.items()
        for target, count in targets.items()
        if name.startswith("catalog.") and target == "monolith"
    )


@pytest.fixture
def ada(stack: Place) -> Iterator[Browser]:
    with contextlib.closing(Browser(stack, "ada")) as browser:
        yield browser


@pytest.fixture
def boss(stack: Place) -> Iterator[Browser]:
    with contextlib.closing(Browser(stack, "boss")) as browser:
        yield browser


@pytest.fixture
def nobody(stack: Place) -> Iterator[Browser]:
    with contextlib.closing(Browser(stack)) as browser:
        yield browser


def test_a_forged_identity_from_outside_changes_nothing(stack: Place, nobody: Browser) -> None:
    claims = {"sub": "1", "name": "x", "staff": True, "permissions": [], "aud": "catalog", "iss": "monolith"}
    token = jwt.encode(claims | {"exp": 4_000_000_000}, "k" * 32, algorithm="HS256")
    answer = review(nobody, 0, headers={"X-Strangler-Identity": token})
    assert (answer.status_code, answer.json()) == (
        403,
        {"detail": "Authentication credentials were not provided."},
    )


def test_a_real_token_replayed_from_outside_changes_nothing(
    stack: Place, nobody: Browser, ada: Browser
) -> None:
    key = (stack.var / "service.key").read_text()
    words = {
        "X-Strangler-Service-Key": key,
        "X-Strangler-Group": "catalog",
        "Cookie": f"sessionid={ada.cookies['sessionid']}",
    }
    endpoint = "/__strangler__/authenticate"
    monolith = f"http://{stack.environment['MONOLITH_BIND']}"
    token = requests.post(monolith + endpoint, headers=words, timeout=10).headers["X-Strangler-Identity"]
    assert review(nobody, 0, headers={"X-Strangler-Identity": token}).status_code == 403
    assert requests.post(stack.url + endpoint, headers=words, timeout=10).status_code == 404


def test_a_service_refuses_a_token_for_another_group(stack: Place, ada: Browser) -> None:
    words = {
        "X-Strangler-Service-Key": (stack.var / "service.key").read_text(),
        "X-Strangler-Group": "orders",
        "Cookie": f"sessionid={ada.cookies['sessionid']}",
    }
    monolith = f"http://{stack.environment['MONOLITH_BIND']}/__strangler__/authenticate"
    token = requests.post(monolith, headers=words, timeout=10).headers["X-Strangler-Identity"]
    service = f"http://{stack.environment['CATALOG_BIND']}/api/reviews/"
    assert requests.get(service, headers={"X-Strangler-Identity": token}, timeout=10).status_code == 401


def test_a_customer_signed_in_on_django_writes_a_review_on_the_service(ada: Browser) -> None:
    answer = review(ada, 0)
    assert answer.status_code == 201, answer.text
    assert answer.json()["author_name"] == "Ada Lovelace"


def test_a_rest_framework_token_is_as_good_on_the_service(stack: Place, nobody: Browser) -> None:
    credentials = {"username": "ada", "password": PASSWORD}
    token = nobody.post("/api/accounts/token/", json=credentials).json()["token"]
    assert review(nobody, 1, headers={"Authorization": f"Token {token}"}).status_code == 201
    wrong = review(nobody, 1, headers={"Authorization": "Token wrong"})
    assert (wrong.status_code, wrong.json()) == (403, {"detail": "Invalid token."})


def test_only_staff_writes_products(ada: Browser, boss: Browser) -> None:
    path = f"/api/products/{a_product(boss, 3)}/"
    refused = ada.patch(path, json={"name": "Mine"})
    assert (refused.status_code, refused.json()) == (
        403,
        {"detail": "You do not have permission to perform this action."},
    )
    assert boss.patch(path, json={"name": "Renamed"}).json()["name"] == "Renamed"


@pytest.mark.parametrize(
    "headers",
    [{"X-CSRFToken": ""}, {"X-CSRFToken": "x" * 32}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
    ids=["missing", "wrong", "another origin", "no origin"],
)
def test_django_judges_csrf_for_the_service(ada: Browser, headers: dict[str, str]) -> None:
    answer = review(ada, 2, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("CSRF Failed")
    at_the_monolith = ada.patch("/api/accounts/me/", json={}, headers=headers)
    assert answer.content == at_the_monolith.content


def test_the_sites_own_origin_passes(stack: Place, ada: Browser) -> None:
    assert review(ada, 4, headers={"Origin": stack.url}).status_code == 201


def test_a_logout_on_django_is_one_on_the_service(ada: Browser) -> None:
    assert review(ada, 5).status_code == 201
    session, csrf = ada.cookies["sessionid"], ada.cookies["csrftoken"]
    assert ada.post("/api/accounts/logout/").status_code == 204
    ada.cookies.clear()
    ada.cookies.update({"sessionid": session, "csrftoken": csrf})  # a client that keeps its cookies
    assert ada.get("/api/accounts/me/").status_code == 403
    refused = review(ada, 6)
    assert refused.status_code == 403
    assert refused.json() == {"detail": "Authentication credentials were not provided."}


def test_a_sliding_session_is_renewed_by_requests_that_only_the_service_answers(
    stack: Place, ada: Browser
) -> None:
    before = asked_of_the_monolith(stack)
    answer = ada.get("/api/products/")
    renewed = answer.headers["Set-Cookie"]
    assert renewed.startswith(f"sessionid={ada.cookies['sessionid']};")
    assert "Max-Age=1209600" in renewed
    assert asked_of_the_monolith(stack) == before


def test_without_the_monolith_nobody_becomes_anonymous(stack: Place, ada: Browser, nobody: Browser) -> None:
    path = f"/api/products/{a_product(ada)}/"
    with stopped(stack, "monolith"):
        assert nobody.get(path).status_code == 200
        answer = review_without_reading(ada)
        assert (answer.status_code, answer.json()["error"]) == (503, "identity_unknown")


def review_without_reading(browser: Browser) -> requests.Response:
    return browser.post("/api/reviews/", data=json.dumps({"product": 1}))


@pytest.mark.parametrize("target", ["//evil.example/", "/\\evil.example", "https://evil.example/"])
def test_a_login_behind_the_proxy_never_leads_off_the_site(
    stack: Place, nobody: Browser, target: str
) -> None:
    nobody.get("/login/")
    form = {"username": "ada", "password": PASSWORD, "next": target}
    answer = nobody.post("/login/", data=form, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_private_keys_reach_only_the_parts_that_need_them(stack: Place) -> None:
    supervisor = psutil.Process(int((stack.var / "supervisord.pid").read_text()))
    for part in supervisor.children(recursive=True):
        line, environment = " ".join(part.cmdline()), part.environ()
        may_sign = "shop.wsgi" in line
        assert bool(environment["STRANGLER_IDENTITY_PRIVATE_KEY"]) is may_sign, line
        assert bool(environment["STRANGLER_SERVICE_KEY"]) is (may_sign or "-m proxy" in line), line
