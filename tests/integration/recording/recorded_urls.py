"""The shop's addresses, and views that write the catalog in every way an application can."""

from collections.abc import Callable
from decimal import Decimal

from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from shop.catalog.models import Category, Product, ProductImage
from shop.pages.models import Tag
from shop.urls import urlpatterns as shop


def _cup() -> Product:
    return Product.objects.get(sku="S-1")


def created() -> None:
    Product.objects.create(
        sku="N",
        name="Ä",
        slug="n",
        category=Category.objects.get(),
        price="1.5",
        attributes={"b": 1, "a": "é"},
    )


def updated() -> None:
    Product.objects.filter(sku="S-1").update(name="Other")


def deleted() -> None:
    _cup().delete()


def saved_as_it_was() -> None:
    Product.objects.filter(sku="S-1").update(name="Cup")


def by_sql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_product SET name = 'Raw' WHERE sku = %s", ["S-2"])


def in_bulk() -> None:
    category = Category.objects.get()
    ProductImage.objects.bulk_create(ProductImage(product=_cup(), url=f"u{number}") for number in range(3))
    Product.objects.bulk_create(
        Product(sku=f"B{number}", name="B", slug=f"b{number}", category=category, price=Decimal(1))
        for number in range(2)
    )


@transaction.atomic
def inserted_and_updated() -> None:
    plates = Category.objects.create(name="Plates", slug="plates")
    plates.name = "Platters"
    plates.save()


@transaction.atomic
def inserted_and_deleted() -> None:
    Category.objects.create(name="Plates", slug="plates").delete()


@transaction.atomic
def updated_and_deleted() -> None:
    Product.objects.filter(sku="S-1").update(name="Other")
    _cup().delete()


def in_two_transactions() -> None:
    with transaction.atomic():
        Product.objects.filter(sku="S-1").update(name="First")
    with transaction.atomic():
        Product.objects.filter(sku="S-1").update(name="Second")


def rolled_back() -> None:
    try:
        with transaction.atomic():
            Product.objects.filter(sku="S-1").update(name="Gone")
            raise LookupError
    except LookupError:
        pass


@transaction.atomic
def rolled_back_in_part() -> None:
    Product.objects.filter(sku="S-1").update(name="Kept")
    try:
        with transaction.atomic():
            Product.objects.filter(sku="S-2").update(name="Gone")
            raise LookupError
    except LookupError:
        pass


def refused_by_the_database() -> HttpResponse:
    try:
        Product.objects.filter(sku="S-1").update(category_id=4711)
    except IntegrityError:
        return HttpResponse("refused", status=400)
    return HttpResponse("kept")


def elsewhere() -> None:
    Tag.objects.create(name="t", slug="t")


def nothing() -> None:
    Product.objects.count()


def defect() -> None:
    with transaction.atomic():
        Product.objects.filter(sku="S-1").update(name="Gone")
        raise RuntimeError("a defect")


def too_much() -> None:
    ProductImage.objects.bulk_create(ProductImage(product=_cup(), url=f"u{number}") for number in range(300))


def emptied() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE catalog_productimage" if connection.vendor == "postgresql" else "SELECT 1")


@transaction.atomic
def emptied_in_a_transaction() -> None:
    emptied()


VIEWS = [
    created,
    updated,
    deleted,
    saved_as_it_was,
    by_sql,
    in_bulk,
    inserted_and_updated,
    inserted_and_deleted,
    updated_and_deleted,
    in_two_transactions,
    rolled_back,
    rolled_back_in_part,
    refused_by_the_database,
    elsewhere,
    nothing,
    defect,
    too_much,
    emptied,
    emptied_in_a_transaction,
]


def page(act: Callable[[], HttpResponse | None]) -> Callable[[HttpRequest], HttpResponse]:
    """Make a view of what a request does."""

    @csrf_exempt
    def view(_request: HttpRequest) -> HttpResponse:
        return act() or HttpResponse("done")

    return view


urlpatterns = [*(path(f"recorded/{act.__name__}/", page(act)) for act in VIEWS), *shop]
