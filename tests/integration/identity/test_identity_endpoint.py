"""Who sent a request, as Django itself says: asked of the real shop through its middleware."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import jwt
import keyed_urls
import pytest
from django.contrib.auth.models import Group, Permission
from django.http import HttpResponse
from django.test import Client
from keyed_urls import KEYS
from rest_framework.authtoken.models import Token
from shop.accounts.models import User

from extracted.chassis.identity import Identity, IdentityReader

ENDPOINT = "/__strangler__/authenticate"
PRODUCTS = "/api/products/"
CSRF = "c" * 32
Ask = Callable[..., HttpResponse]


@pytest.fixture(autouse=True)
def keyed(settings, db):
    settings.ROOT_URLCONF = keyed_urls.__name__
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password="secret", first_name="Ada", last_name="Lovelace")


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def ask(client) -> Ask:
    """Ask as the proxy does about a request with a method, a path and headers."""

    def asking(method: str = "GET", path: str = PRODUCTS, **headers: str) -> HttpResponse:
        words = {
            "x-strangler-service-key": KEYS.service_key,
            "x-strangler-group": "catalog",
            "x-strangler-tables": "catalog_product,catalog_review",
            "x-strangler-original-method": method,
            "x-strangler-original-path": path,
        }
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.generic("POST", ENDPOINT, headers=words | given, secure="origin" in given)

    return asking


def who(answer: HttpResponse) -> Identity:
    assert (answer.status_code, answer["X-Strangler-Answer"]) == (204, "identified"), answer.content
    return IdentityReader(KEYS.private_key.public_key(), "catalog").read(answer["X-Strangler-Identity"])


def is_nobody(answer: HttpResponse) -> bool:
    assert "X-Strangler-Identity" not in answer
    return (answer.status_code, answer["X-Strangler-Answer"]) == (204, "anonymous")


def refusal(answer: HttpResponse) -> int:
    assert answer["X-Strangler-Answer"] == "refused"
    assert "X-Strangler-Identity" not in answer
    return answer.status_code


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


# --- who is answered at all ---------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "wrong", "the-service-ke", "the-service-key2", "the-service-k\xe9y"])
def test_without_the_service_key_there_is_no_endpoint(ask, client, ada, key):
    client.force_login(ada)
    answer = ask(x_strangler_service_key=key)
    assert answer.status_code == 404
    assert "X-Strangler-Answer" not in answer


def test_a_monolith_without_keys_has_no_endpoint(ask, client, ada, settings):
    settings.ROOT_URLCONF = "shop.urls"
    client.force_login(ada)
    assert ask().status_code == 404
    assert ask(x_strangler_service_key="").status_code == 404


# --- sessions and tokens ------------------------------------------------------------------------------


def test_a_request_without_credentials_is_nobodys(ask):
    assert is_nobody(ask())


def test_a_session_that_does_not_exist_is_nobodys(ask, client):
    client.cookies["sessionid"] = "forged"
    assert is_nobody(ask())


def test_a_session_says_who_asks_in_the_services_words(ask, client, ada):
    client.force_login(ada)
    answer = ask()
    assert who(answer) == Identity(ada.pk, "Ada Lovelace")
    assert answer["X-Strangler-User"] == str(ada.pk)


def test_a_logout_makes_the_session_nobodys(ask, client, ada):
    client.force_login(ada)
    assert who(ask()).user_id == ada.pk
    session = client.cookies["sessionid"].value
    client.logout()
    client.cookies["sessionid"] = session
    assert is_nobody(ask())


def test_a_user_who_may_not_sign_in_any_more_is_nobody(ask, client, ada):
    client.force_login(ada)
    ada.is_active = False
    ada.save()
    assert is_nobody(ask())


def test_a_rest_framework_token_says_who_asks_without_csrf(ask, ada):
    token = Token.objects.create(user=ada)
    assert who(ask("POST", authorization=f"Token {token.key}")).user_id == ada.pk


def test_a_wrong_token_gets_rest_frameworks_own_refusal(ask, client):
    answer = ask(authorization="Token wrong")
    asked = client.get(PRODUCTS, headers={"authorization": "Token wrong"})
    assert refusal(answer) == asked.status_code
    assert answer.json() == asked.json() == {"detail": "Invalid token."}
    assert answer.headers.get("WWW-Authenticate") == asked.headers.get("WWW-Authenticate")


def test_each_view_is_judged_by_its_own_authenticators(ask, client, ada):
    assert who(ask(path="/basic/", authorization=basic("ada", "secret"))).user_id == ada.pk
    wrong = ask(path="/basic/", authorization=basic("ada", "guess"))
    assert refusal(wrong) == 401
    assert wrong["WWW-Authenticate"] == 'Basic realm="api"'
    client.force_login(ada)
    assert is_nobody(ask(path="/basic/"))


def test_a_path_the_monolith_no_longer_has_is_judged_by_the_projects_defaults(ask, client, ada):
    client.force_login(ada)
    assert who(ask(path="/api/gone/7/")).user_id == ada.pk
    assert refusal(ask("POST", "/api/gone/7/")) == 403
    client.logout()
    assert refusal(ask(path="/api/gone/", authorization="Token wrong")) == 403


def test_a_page_knows_whoever_the_middleware_knows(ask, client, ada):
    assert is_nobody(ask(path="/page/"))
    client.force_login(ada)
    assert who(ask(path="/page/")).user_id == ada.pk


def test_an_encoded_path_is_the_view_it_means(ask, client, ada):
    client.force_login(ada)
    assert who(ask(path="/p%61ge/")).user_id == ada.pk


def test_sliding_sessions_are_renewed_by_the_question(ask, client, ada, settings):
    client.force_login(ada)
    assert "sessionid" not in ask().cookies
    settings.SESSION_SAVE_EVERY_REQUEST = True
    renewed = ask().cookies["sessionid"]
    assert renewed.value == client.cookies["sessionid"].value
    assert renewed["max-age"] == settings.SESSION_COOKIE_AGE


# --- roles and permissions ----------------------------------------------------------------------------


def test_staff_is_said_of_staff_alone(ask, client, ada):
    client.force_login(ada)
    answer = ask()
    assert (who(answer).staff, answer["X-Strangler-Role"]) == (False, "user")
    client.force_login(User.objects.create_user("boss", is_staff=True))
    answer = ask()
    assert (who(answer).staff, answer["X-Strangler-Role"]) == (True, "staff")


def test_permissions_come_from_the_user_and_its_groups(ask, client, ada):
    ada.user_permissions.add(Permission.objects.get(codename="change_product"))
    editors = Group.objects.create(name="editors")
    editors.permissions.add(Permission.objects.get(codename="delete_review"))
    ada.groups.add(editors)
    client.force_login(ada)
    assert who(ask()).permissions == {"catalog.change_product", "catalog.delete_review"}


def test_a_service_is_told_the_permissions_of_its_own_tables_alone(ask, client):
    client.force_login(User.objects.create_superuser("root"))
    permissions = who(ask()).permissions
    assert permissions
    assert {name.partition(".")[0] for name in permissions} == {"catalog"}
    assert who(ask(x_strangler_tables="")).permissions == frozenset()


def test_a_token_is_for_one_group_and_a_minute(ask, client, ada):
    client.force_login(ada)
    token = ask(x_strangler_group="orders")["X-Strangler-Identity"]
    key = KEYS.private_key.public_key()
    claims = jwt.decode(token, key, algorithms=["EdDSA"], audience="orders", issuer="monolith")
    assert 0 < claims["exp"] - datetime.now(UTC).timestamp() <= 60


# --- CSRF ---------------------------------------------------------------------------------------------

UNSAFE = ["POST", "PUT", "PATCH", "DELETE"]


@pytest.fixture
def browser(client, ada) -> Client:
    """A signed-in browser with a CSRF cookie."""
    client.force_login(ada)
    client.cookies["csrftoken"] = CSRF
    return client


@pytest.mark.parametrize("path", [PRODUCTS, "/page/"])
@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("headers", [{}, {"x_csrftoken": "d" * 32}, {"x_csrftoken": ""}])
def test_an_unsafe_request_without_the_right_csrf_token_is_refused(ask, browser, method, path, headers):
    assert refusal(ask(method, path, **headers)) == 403


def test_a_missing_csrf_token_gets_the_very_answer_of_the_monolith(ask, browser):
    answer, asked = ask("POST"), browser.post(PRODUCTS, {}, content_type="application/json")
    assert refusal(answer) == asked.status_code == 403
    assert answer.json() == asked.json()


def test_an_unsafe_request_without_a_csrf_cookie_is_refused(ask, client, ada):
    client.force_login(ada)
    assert refusal(ask("POST", x_csrftoken=CSRF)) == 403


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("path", [PRODUCTS, "/page/"])
def test_the_right_csrf_token_opens_unsafe_methods(ask, browser, method, path):
    assert who(ask(method, path, x_csrftoken=CSRF)).name == "Ada Lovelace"


@pytest.mark.parametrize("path", [PRODUCTS, "/page/"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver"])
def test_another_origin_is_refused_whatever_token_it_has(ask, browser, path, origin):
    assert refusal(ask("POST", path, x_csrftoken=CSRF, origin=origin)) == 403


def test_the_sites_own_origin_is_taken(ask, browser):
    assert who(ask("POST", x_csrftoken=CSRF, origin="https://testserver"))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_need_no_csrf_token(ask, browser, method):
    assert who(ask(method))


def test_a_view_without_csrf_protection_keeps_none(ask, browser):
    assert who(ask("POST", "/open-page/"))
