"""The catalog's API: who may do what, and what comes back."""

from datetime import date
from decimal import Decimal

import pytest
from shop.catalog.models import Category, Product, ProductImage, RelatedProduct, Review

NEW = {"sku": "N-1", "name": "New", "slug": "new", "price": "5.00"}


def ids(response) -> list[int]:
    assert response.status_code == 200, response.content
    return [entry["id"] for entry in response.json()["results"]]


# --- refusals


@pytest.mark.parametrize("path", ["categories", "products"])
def test_anonymous_visitors_never_write_the_catalog(api, product, path):
    answer = api.post(f"/api/{path}/", {}, format="json")
    assert answer.status_code == 403
    assert answer.json() == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize("path", ["categories", "products"])
def test_customers_never_write_products_or_categories(as_user, customer, product, path):
    client = as_user(customer)
    assert client.post(f"/api/{path}/", {}, format="json").status_code == 403
    assert client.delete(f"/api/{path}/1/").status_code == 403


def test_a_session_without_csrf_token_never_writes(staff, product):
    from rest_framework.test import APIClient

    client = APIClient(enforce_csrf_checks=True)
    client.force_login(staff)
    answer = client.patch(f"/api/products/{product.pk}/", {"name": "x"}, format="json")
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("CSRF Failed")


def test_every_invalid_field_is_named(as_user, staff, product):
    answer = as_user(staff).post(
        "/api/products/",
        {
            "sku": product.sku,
            "name": "",
            "slug": "not a slug",
            "price": "0.00",
            "category_id": 99,
            "weight_kg": "x",
            "attributes": {"a": "\x00"},
            "released_on": "yesterday",
        },
        format="json",
    )
    assert answer.status_code == 400
    assert answer.json() == {
        "sku": ["product with this sku already exists."],
        "name": ["This field may not be blank."],
        "slug": ['Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'],
        "price": ["Ensure this value is greater than or equal to 0.01."],
        "category_id": ['Invalid pk "99" - object does not exist.'],
        "weight_kg": ["A valid number is required."],
        "attributes": ["Null characters are not allowed."],
        "released_on": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],
    }


@pytest.mark.parametrize(
    "query", ["price_min=x", "price_min=123456789012", "released_after=now", "rating_min=1.234"]
)
def test_a_filter_value_that_cannot_be_is_refused(api, product, query):
    answer = api.get(f"/api/products/?{query}")
    assert answer.status_code == 400
    assert list(answer.json()) == [query.split("=")[0]]


def test_a_category_in_use_is_never_deleted(as_user, staff, category, product):
    answer = as_user(staff).delete(f"/api/categories/{category.pk}/")
    assert answer.status_code == 409
    assert answer.json()["code"] == "conflict"
    assert Category.objects.filter(pk=category.pk).exists()


@pytest.mark.parametrize(
    "path", ["products/0", "products/x", "categories/99", "reviews/99999999999999999999"]
)
def test_what_is_not_there_is_not_found(api, path):
    assert api.get(f"/api/{path}/").status_code == 404


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [("{", "application/json", 400), ("a=1", "application/x-www-form-urlencoded", 415)],
)
def test_what_is_not_json_is_refused(as_user, staff, body, kind, status):
    answer = as_user(staff).generic("POST", "/api/products/", body, content_type=kind)
    assert answer.status_code == status


# --- products


def test_withdrawn_products_are_seen_by_nobody(api, as_user, staff, make_product):
    hidden = make_product(is_active=False)
    for client in (api, as_user(staff)):
        assert ids(client.get("/api/products/")) == []
        assert client.get(f"/api/products/{hidden.pk}/").status_code == 404


def test_staff_brings_a_withdrawn_product_back(as_user, staff, make_product):
    hidden = make_product(is_active=False)
    answer = as_user(staff).patch(f"/api/products/{hidden.pk}/", {"is_active": True}, format="json")
    assert answer.status_code == 200
    assert answer.json()["is_active"] is True


def test_staff_creates_changes_and_deletes_a_product(as_user, staff, category):
    client = as_user(staff)
    created = client.post("/api/products/", NEW | {"category_id": category.pk}, format="json")
    assert created.status_code == 201
    assert created.json()["category"] == {"id": category.pk, "name": "Cups", "slug": "cups"}
    path = f"/api/products/{created.json()['id']}/"
    replaced = client.put(path, NEW | {"category_id": category.pk, "price": "7.5"}, format="json")
    assert replaced.json()["price"] == "7.50"
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_a_list_entry_has_just_the_promised_fields(api, product):
    entry = api.get("/api/products/").json()["results"][0]
    assert list(entry) == [
        *("id", "sku", "name", "slug", "category", "price", "currency", "rating_average"),
        *("rating_count", "image", "created_at", "updated_at"),
    ]
    assert entry["price"] == "9.90"
    assert entry["image"] is None


def test_a_product_in_full_shows_images_and_related(api, make_product):
    product, other = make_product(weight_kg=Decimal("0.3"), attributes={"für": ["湯"]}), make_product()
    ProductImage.objects.create(product=product, url="/b.svg", alt="b", position=2)
    ProductImage.objects.create(product=product, url="/a.svg", position=1)
    RelatedProduct.objects.create(from_product=product, to_product=other, kind="accessory")
    shown = api.get(f"/api/products/{product.pk}/").json()
    assert shown["image"] == "/a.svg"
    assert [image["url"] for image in shown["images"]] == ["/a.svg", "/b.svg"]
    assert shown["related"] == [{"id": other.pk, "name": other.name, "slug": other.slug, "kind": "accessory"}]
    assert shown["weight_kg"] == "0.300"
    assert shown["attributes"] == {"für": ["湯"]}
    assert "category_id" not in shown


def test_json_comes_compact_and_in_plain_unicode(api, make_product):
    make_product(name="Tasse à café 湯のみ")
    assert '"name":"Tasse à café 湯のみ"'.encode() in api.get("/api/products/").content


def test_products_are_filtered_by_every_promised_parameter(api, make_product, category):
    other = Category.objects.create(name="Pans", slug="pans")
    cheap = make_product(price=Decimal("1.00"), rating_average=Decimal("4.50"), released_on=date(2024, 5, 1))
    dear = make_product(price=Decimal("100.00"), category=other, released_on=date(2023, 5, 1))
    for query, found in {
        "category=cups": [cheap],
        "category=nothing": [],
        "price_min=50": [dear],
        "price_max=1.00": [cheap],
        "rating_min=4.5": [cheap],
        "released_after=2024-05-01": [cheap],
        "search=s-2": [dear],
        "search=cup": [dear, cheap],
        "search=cup+1": [cheap],
    }.items():
        assert ids(api.get(f"/api/products/?{query}")) == [product.pk for product in found], query


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("price", [1, 2, 0]),
        ("-price", [0, 1, 2]),
        ("name", [2, 1, 0]),
        ("nonsense", [2, 1, 0]),
        ("", [2, 1, 0]),
    ],
)
def test_equal_products_are_ordered_by_id(api, make_product, ordering, expected):
    made = [make_product(name=name, price=price) for name, price in (("c", 9), ("b", 5), ("a", 5))]
    found = ids(api.get("/api/products/", {"ordering": ordering}))
    assert found == [made[position].pk for position in expected]


def test_pages_link_to_each_other_on_the_host_that_was_asked(api, make_product):
    for _ in range(3):
        make_product()
    page = api.get("/api/products/?page_size=1&page=2", headers={"host": "shop.example"}).json()
    assert page["count"] == 3
    assert page["next"] == "http://shop.example/api/products/?page=3&page_size=1"
    assert page["previous"] == "http://shop.example/api/products/?page_size=1"
    assert api.get("/api/products/?page=9").json() == {"detail": "Invalid page."}


def test_links_are_https_only_when_the_proxy_says_so(api, make_product):
    for _ in range(2):
        make_product()
    secure = api.get(
        "/api/products/?page_size=1", headers={"host": "shop.example", "x-forwarded-proto": "https"}
    )
    assert secure.json()["next"].startswith("https://shop.example/")
    misled = api.get("/api/products/?page_size=1", headers={"x-forwarded-host": "evil.example"})
    assert misled.json()["next"].startswith("http://testserver/")


def test_a_product_list_costs_as_many_queries_as_one_product(api, make_product, django_assert_num_queries):
    for _ in range(20):
        ProductImage.objects.create(product=make_product(), url="/a.svg")
    with django_assert_num_queries(3):  # count, products with categories, images
        assert len(ids(api.get("/api/products/"))) == 20


def test_an_unchanged_answer_is_not_sent_twice(api, product):
    path = f"/api/products/{product.pk}/"
    etag = api.get(path).headers["ETag"]
    again = api.get(path, headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    Product.objects.filter(pk=product.pk).update(name="changed")
    assert api.get(path, headers={"if-none-match": etag}).status_code == 200


def test_the_catalog_is_never_throttled(api, product, settings):
    assert {api.get("/api/products/").status_code for _ in range(70)} == {200}


def test_a_missing_slash_is_added(api, product):
    answer = api.get("/api/products?page=1")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/api/products/?page=1")


# --- categories


def test_a_category_counts_what_is_on_sale(api, make_product, category):
    make_product(), make_product(), make_product(is_active=False)
    assert api.get(f"/api/categories/{category.pk}/").json()["product_count"] == 2


def test_categories_come_in_their_order_and_by_parent(api, category):
    first = Category.objects.create(name="A", slug="a", parent=category)
    second = Category.objects.create(name="B", slug="b", parent=category, position=1)
    assert ids(api.get("/api/categories/")) == [category.pk, first.pk, second.pk]
    assert ids(api.get(f"/api/categories/?parent={category.pk}")) == [first.pk, second.pk]
    assert ids(api.get("/api/categories/?search=cup")) == [category.pk]


def test_a_new_category_is_answered_with_its_count(as_user, staff):
    answer = as_user(staff).post("/api/categories/", {"name": "A", "slug": "a"}, format="json")
    assert answer.status_code == 201
    assert answer.json()["product_count"] == 0
    too_far = {"name": "B", "slug": "b", "position": 2**31}
    assert as_user(staff).post("/api/categories/", too_far, format="json").status_code == 400


# --- reviews


@pytest.fixture
def review(product, customer):
    return Review.objects.create(product=product, author=customer, author_name="Ada", rating=4, title="Good")


def test_a_second_review_of_one_product_is_refused(as_user, customer, product, review):
    answer = as_user(customer).post(
        "/api/reviews/", {"product": product.pk, "rating": 1, "title": "x"}, format="json"
    )
    assert answer.status_code == 400
    assert answer.json() == {"non_field_errors": ["You have already reviewed this product."]}


def test_a_review_never_moves_to_a_product_reviewed_before(as_user, customer, make_product, review):
    other = make_product()
    Review.objects.create(product=other, author=customer, author_name="Ada", rating=2, title="Meh")
    answer = as_user(customer).patch(f"/api/reviews/{review.pk}/", {"product": other.pk}, format="json")
    assert answer.status_code == 400


def test_nobody_edits_the_review_of_another(as_user, stranger, support, api, review):
    for client in (as_user(stranger), as_user(support), api):
        assert client.patch(f"/api/reviews/{review.pk}/", {"rating": 1}, format="json").status_code == 403
        assert client.delete(f"/api/reviews/{review.pk}/").status_code == 403


def test_a_review_takes_its_author_from_the_request(as_user, customer, stranger, product):
    body = {"product": product.pk, "rating": 5, "title": "Très bien", "author_name": "forged"}
    answer = as_user(customer).post("/api/reviews/", body, format="json")
    assert answer.status_code == 201
    assert answer.json()["author_name"] == "Ada Lovelace"
    assert as_user(stranger).post("/api/reviews/", body, format="json").json()["author_name"] == "bob"


def test_authors_and_staff_change_a_review(as_user, customer, staff, review):
    path = f"/api/reviews/{review.pk}/"
    assert as_user(customer).patch(path, {"rating": 5}, format="json").json()["rating"] == 5
    assert as_user(staff).patch(path, {"title": "Edited"}, format="json").json()["title"] == "Edited"
    assert as_user(customer).delete(path).status_code == 204


def test_only_staff_changes_a_review_whose_author_is_gone(as_user, customer, staff, stranger, review):
    customer.delete()
    path = f"/api/reviews/{review.pk}/"
    assert as_user(stranger).patch(path, {"rating": 1}, format="json").status_code == 403
    changed = as_user(staff).patch(path, {"rating": 1}, format="json").json()
    assert (changed["rating"], changed["author_name"]) == (1, "Ada")


def test_reviews_are_filtered_by_product_and_rating(api, product, make_product, review):
    other = Review.objects.create(product=make_product(), author_name="x", rating=2, title="t")
    assert ids(api.get("/api/reviews/")) == [other.pk, review.pk]
    assert ids(api.get(f"/api/reviews/?product={product.pk}")) == [review.pk]
    assert ids(api.get("/api/reviews/?rating=2")) == [other.pk]
    assert ids(api.get("/api/reviews/?ordering=-rating")) == [review.pk, other.pk]
    assert api.get("/api/reviews/?product=0").status_code == 400


@pytest.mark.parametrize("rating", [0, 6, None, "good"])
def test_a_rating_is_one_to_five(as_user, customer, product, rating):
    body = {"product": product.pk, "rating": rating, "title": "x"}
    answer = as_user(customer).post("/api/reviews/", body, format="json")
    assert list(answer.json()) == ["rating"]
