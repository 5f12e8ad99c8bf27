"""The shop's addresses, and views that meet a fence in every way an application can."""

from collections.abc import Callable

from django.contrib.sessions.models import Session
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from shop.cart.models import Cart
from shop.catalog.models import Category, Product
from shop.pages.models import Tag
from shop.urls import urlpatterns as shop

RAN: list[str] = []  # by hooks after a commit


def new_category() -> Category:
    return Category.objects.create(name="Plates", slug="plates")


def refused(request: HttpRequest) -> None:
    new_category()


def rolled_back(request: HttpRequest) -> None:
    with transaction.atomic():
        Tag.objects.create(name="first", slug="first")
        new_category()


def got_or_created(request: HttpRequest) -> None:
    Category.objects.get_or_create(slug="plates", defaults={"name": "Plates"})


def taken_for_a_duplicate(request: HttpRequest) -> None:
    try:
        new_category()
    except IntegrityError:
        Tag.objects.create(name="duplicate", slug="duplicate")


def swallowed(request: HttpRequest) -> None:
    try:
        new_category()
    except Exception:  # as applications do
        Tag.objects.create(name="afterwards", slug="afterwards")


def swallowed_by_sql(request: HttpRequest) -> None:
    with transaction.atomic():
        Tag.objects.create(name="before", slug="before")
        try:
            with transaction.atomic():
                Product.objects.update(is_active=False)
        except DatabaseError:
            Tag.objects.create(name="after", slug="after")
        transaction.on_commit(lambda: RAN.append("after a refusal"))


def swallowed_beside_reading(request: HttpRequest) -> None:
    try:
        new_category()
    except DatabaseError:
        with transaction.atomic():
            assert Tag.objects.count() == 0


def kept_a_transaction(request: HttpRequest) -> None:
    with transaction.atomic():
        Tag.objects.create(name="kept", slug="kept")
    new_category()


def kept_a_statement(request: HttpRequest) -> None:
    Tag.objects.create(name="kept", slug="kept")
    new_category()


def kept_by_sql(request: HttpRequest) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH word (name) AS (SELECT 'kept')"
            " INSERT INTO pages_tag (name, slug) SELECT name, name FROM word"
        )
    new_category()


def ran_a_hook(request: HttpRequest) -> None:
    with transaction.atomic():
        transaction.on_commit(lambda: RAN.append("before a refusal"))
    new_category()


def gave_up_before(request: HttpRequest) -> None:
    try:
        with transaction.atomic():
            Tag.objects.create(name="given up", slug="given-up")
            raise LookupError
    except LookupError:
        pass
    with transaction.atomic():
        assert not Tag.objects.exists()
    new_category()


def read_before(request: HttpRequest) -> None:
    with transaction.atomic():
        assert not Session.objects.select_for_update().filter(pk="none").exists()
    new_category()


def in_the_session(request: HttpRequest) -> None:
    request.session["cart"] = 7
    new_category()


def in_a_cart(request: HttpRequest) -> None:
    request.session["cart"] = Cart.objects.create().pk


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    swallowed(request)
    return StreamingHttpResponse([b"a lot"])


def quiet(request: HttpRequest) -> None:
    Tag.objects.create(name="quiet", slug="quiet")


VIEWS = [
    refused,
    rolled_back,
    got_or_created,
    taken_for_a_duplicate,
    swallowed,
    swallowed_by_sql,
    swallowed_beside_reading,
    kept_a_transaction,
    kept_a_statement,
    kept_by_sql,
    ran_a_hook,
    gave_up_before,
    read_before,
    in_the_session,
    in_a_cart,
    streamed,
    quiet,
]


def page(act: Callable[[HttpRequest], HttpResponse | None]) -> Callable[[HttpRequest], HttpResponse]:
    """Make a view of what a request does."""

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        return act(request) or HttpResponse("done")

    return view


urlpatterns = [*(path(f"writing/{act.__name__}/", page(act)) for act in VIEWS), *shop]
