"""What a client of the catalog may count on, whoever answers."""

import json

import pytest

from tests.integration.contract.world import Question

LISTS = ["/api/categories/", "/api/products/", "/api/reviews/"]


def ask(upstream, method: str, path: str, who: str | None = None, **options):
    return upstream.ask(Question(method, path, who, **options))


def body_of(answer):
    return json.loads(answer.body)


@pytest.mark.parametrize("path", LISTS)
def test_nobody_writes_without_signing_in(upstream, path):
    answer = ask(upstream, "POST", path, json={})
    assert answer.status == 403
    assert body_of(answer) == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize("path", LISTS[:2])
def test_a_customer_writes_no_catalog(upstream, path):
    answer = ask(upstream, "POST", path, "ada", json={})
    assert answer.status == 403
    assert body_of(answer) == {"detail": "You do not have permission to perform this action."}


def test_what_is_not_on_sale_is_not_shown(upstream):
    answer = ask(upstream, "GET", "/api/products/6/")
    assert answer.status == 404
    assert body_of(answer) == {"detail": "No Product matches the given query."}


def test_a_page_beyond_the_last_is_missing(upstream):
    answer = ask(upstream, "GET", "/api/products/?page=4")
    assert (answer.status, body_of(answer)) == (404, {"detail": "Invalid page."})


def test_a_list_that_cannot_be_json_is_refused(upstream):
    answer = ask(upstream, "GET", "/api/products/", headers=(("Accept", "text/html"),))
    assert answer.status == 406
    assert "vary" not in answer.headers


def test_a_body_that_is_no_json_is_refused(upstream):
    answer = ask(
        upstream, "POST", "/api/reviews/", "eve", data=b"a=1", headers=(("Content-Type", "text/plain"),)
    )
    assert answer.status == 415
    assert body_of(answer) == {"detail": 'Unsupported media type "text/plain" in request.'}


def test_every_wrong_field_is_named_at_once(upstream):
    answer = ask(upstream, "POST", "/api/reviews/", "eve", json={"rating": 9, "title": ""})
    assert answer.status == 400
    assert body_of(answer) == {
        "product": ["This field is required."],
        "rating": ["Ensure this value is less than or equal to 5."],
        "title": ["This field may not be blank."],
    }


def test_a_second_review_of_one_product_is_refused(own_upstream):
    answer = ask(
        own_upstream, "POST", "/api/reviews/", "ada", json={"product": 1, "rating": 1, "title": "again"}
    )
    assert answer.status == 400
    assert body_of(answer) == {"non_field_errors": ["You have already reviewed this product."]}


def test_a_stranger_changes_no_review(own_upstream):
    assert ask(own_upstream, "PATCH", "/api/reviews/1/", "eve", json={"rating": 1}).status == 403


def test_a_category_with_products_is_not_deleted(own_upstream):
    answer = ask(own_upstream, "DELETE", "/api/categories/5/", "staff")
    assert answer.status == 409
    assert body_of(answer)["code"] == "conflict"


def test_pages_name_their_neighbours_by_absolute_address(upstream):
    page = body_of(ask(upstream, "GET", "/api/products/?page=2&search=product"))
    assert page["next"] is None or page["next"].startswith("http://testserver/api/products/?page=3")
    assert page["previous"] == "http://testserver/api/products/?search=product"


def test_every_page_together_is_every_product_once(upstream):
    seen = []
    path = "/api/products/?ordering=price&page_size=7"
    while path:
        page = body_of(ask(upstream, "GET", path))
        seen += [row["id"] for row in page["results"]]
        path = (page["next"] or "").removeprefix("http://testserver")
    assert len(seen) == len(set(seen)) == page["count"] == 41


def test_a_known_answer_is_not_sent_again(upstream):
    first = ask(upstream, "GET", "/api/products/1/")
    again = ask(upstream, "GET", "/api/products/1/", headers=(("If-None-Match", first.headers["etag"]),))
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "content-type" not in again.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_missing_slash_is_added(upstream, method):
    answer = ask(upstream, method, "/api/products?page=2")
    assert (answer.status, answer.headers["location"]) == (301, "/api/products/?page=2")


def test_head_is_get_without_its_body(upstream):
    whole = ask(upstream, "GET", "/api/products/")
    head = ask(upstream, "HEAD", "/api/products/")
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert "etag" not in head.headers


def test_prices_are_exact_text_and_moments_end_in_z(upstream):
    product = body_of(ask(upstream, "GET", "/api/products/2/"))
    assert product["price"] == "99999999.99"
    assert product["weight_kg"] == "0.001"
    assert product["created_at"] == "2024-01-01T00:00:00.001001Z"


def test_staff_creates_changes_and_deletes_a_product(own_upstream):
    new = {"sku": "N", "name": "N", "slug": "n", "category_id": 5, "price": "3"}
    created = ask(own_upstream, "POST", "/api/products/", "staff", json=new)
    assert created.status == 201
    path = f"/api/products/{body_of(created)['id']}/"
    assert body_of(ask(own_upstream, "PATCH", path, "staff", json={"price": "4.5"}))["price"] == "4.50"
    assert body_of(ask(own_upstream, "GET", path))["price"] == "4.50"
    assert ask(own_upstream, "DELETE", path, "staff").status == 204
    assert ask(own_upstream, "GET", path).status == 404


def test_a_customer_reviews_under_their_own_name(own_upstream):
    review = {"product": 40, "rating": 5, "title": "Good", "author_name": "Somebody else"}
    answer = ask(own_upstream, "POST", "/api/reviews/", "ada", json=review)
    assert answer.status == 201
    assert body_of(answer)["author_name"] == "Ada Lovelace"
