"""The accounts' API: signing in and out, oneself, addresses, the picture."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient
from shop.accounts.models import Address, User
from shop_facts import PASSWORD

LOGIN = "/api/accounts/login/"
ME = "/api/accounts/me/"
AVATAR = "/api/accounts/avatar/"


def credentials(username: str = "ada", password: str = PASSWORD) -> dict[str, str]:
    return {"username": username, "password": password}


def picture(kind: str = "PNG", name: str = "me.png") -> SimpleUploadedFile:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, kind)
    return SimpleUploadedFile(name, file.getvalue(), "image/png")


def test_a_wrong_password_signs_nobody_in(api, customer):
    answer = api.post(LOGIN, credentials(password="wrong"), format="json")
    assert answer.status_code == 400
    assert answer.json() == {"non_field_errors": ["Unable to log in with provided credentials."]}
    assert "sessionid" not in answer.cookies


def test_an_inactive_account_cannot_sign_in(api, make_user):
    make_user("gone", is_active=False)
    assert api.post(LOGIN, credentials("gone"), format="json").status_code == 400


@pytest.mark.parametrize("path", [LOGIN, "/api/accounts/token/"])
def test_guessing_passwords_is_throttled(api, customer, path):
    wrong = credentials(password="wrong")
    answers = [api.post(path, wrong, format="json") for _ in range(31)]
    assert {answer.status_code for answer in answers[:30]} == {400}
    assert answers[30].status_code == 429
    assert int(answers[30].headers["Retry-After"]) > 0


def test_throttles_count_each_client_of_the_proxy_apart(api, customer):
    def attempt(address: str) -> int:
        headers = {"x-forwarded-for": f"spoofed-{address}, {address}"}
        return api.post(LOGIN, credentials(password="wrong"), format="json", headers=headers).status_code

    assert [attempt("198.51.100.1") for _ in range(31)][-1] == 429
    assert attempt("198.51.100.2") == 400


def test_a_session_signs_in_writes_with_csrf_and_signs_out(customer):
    client = APIClient(enforce_csrf_checks=True)
    answer = client.post(LOGIN, credentials(), format="json")
    assert answer.status_code == 200
    assert answer.json()["username"] == "ada"
    assert client.patch(ME, {"last_name": "Byron"}, format="json").status_code == 403
    token = {"x-csrftoken": answer.cookies["csrftoken"].value}
    changed = client.patch(ME, {"last_name": "Byron"}, format="json", headers=token)
    assert changed.json()["last_name"] == "Byron"
    assert client.post("/api/accounts/logout/", headers=token).status_code == 204
    assert client.get(ME).status_code == 403


def test_a_token_signs_in_without_cookies(api, customer):
    token = api.post("/api/accounts/token/", credentials(), format="json").json()["token"]
    answer = APIClient().get(ME, headers={"authorization": f"Token {token}"})
    assert answer.json()["id"] == customer.pk
    assert APIClient().get(ME, headers={"authorization": "Token wrong"}).status_code == 403


def test_registering_makes_a_customer_and_nothing_more(api):
    body = {"username": "new", "email": "new@shop.example", "password": PASSWORD, "is_staff": True}
    answer = api.post("/api/accounts/register/", body, format="json")
    assert answer.status_code == 201
    assert "password" not in answer.json()
    user = User.objects.get(username="new")
    assert user.check_password(PASSWORD)
    assert not user.is_staff


@pytest.mark.parametrize(
    ("change", "field"),
    [({"password": "12345"}, "password"), ({"username": "ada"}, "username"), ({"email": ""}, "email")],
)
def test_a_bad_registration_is_refused_by_field(api, customer, change, field):
    body = {"username": "new", "email": "new@shop.example", "password": PASSWORD} | change
    answer = api.post("/api/accounts/register/", body, format="json")
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


def test_nobody_makes_themselves_staff(as_user, customer):
    answer = as_user(customer).patch(ME, {"is_staff": True, "username": "root"}, format="json")
    assert answer.json()["is_staff"] is False
    assert answer.json()["username"] == "ada"


def test_addresses_of_others_do_not_exist(as_user, customer, stranger):
    fields = {"name": "Ada", "street": "S 1", "postcode": "1", "city": "Köln", "country": "DE"}
    made = as_user(customer).post("/api/accounts/addresses/", fields, format="json")
    assert made.status_code == 201
    path = f"/api/accounts/addresses/{made.json()['id']}/"
    assert as_user(stranger).get(path).status_code == 404
    assert as_user(stranger).delete(path).status_code == 404
    assert as_user(stranger).get("/api/accounts/addresses/").json()["count"] == 0
    assert as_user(customer).patch(path, {"country": "Germany"}, format="json").status_code == 400
    assert as_user(customer).delete(path).status_code == 204
    assert not Address.objects.exists()


def test_what_is_no_picture_is_refused(as_user, customer, settings):
    client = as_user(customer)
    for upload in (
        SimpleUploadedFile("me.png", b"<script>", "image/png"),
        picture("GIF"),
        SimpleUploadedFile("me.png", b"", "image/png"),
    ):
        assert client.post(AVATAR, {"avatar": upload}, format="multipart").status_code == 400
    settings.AVATAR_MAX_BYTES = 10
    assert client.post(AVATAR, {"avatar": picture()}, format="multipart").status_code == 400
    assert client.post(AVATAR, {}, format="multipart").status_code == 400
    assert client.post(AVATAR, {}, format="json").status_code == 415


def test_a_picture_is_named_by_what_it_is_and_served(as_user, customer):
    client = as_user(customer)
    answer = client.post(AVATAR, {"avatar": picture(name="evil.gif")}, format="multipart")
    assert answer.status_code == 201
    url = answer.json()["avatar"]
    assert url.startswith("http://testserver/media/avatars/")
    assert url.endswith(".png")
    assert "evil" not in url
    served = client.get(url)
    assert served.headers["Content-Type"] == "image/png"
    served.close()


def test_a_new_picture_replaces_the_file_of_the_old(as_user, customer, settings):
    client = as_user(customer)
    for _ in range(2):
        client.post(AVATAR, {"avatar": picture()}, format="multipart")
    assert len(list((settings.MEDIA_ROOT / "avatars").iterdir())) == 1
    assert client.delete(AVATAR).status_code == 204
    assert list((settings.MEDIA_ROOT / "avatars").iterdir()) == []
    assert client.get(ME).json()["avatar"] is None
