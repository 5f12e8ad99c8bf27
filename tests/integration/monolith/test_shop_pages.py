"""The storefront: every page, and what a browser does with it."""

import re

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from shop.catalog.models import Category, ProductImage, RelatedProduct, Review
from shop.orders.models import Order
from shop.pages.models import Tag, TaggedItem
from shop_facts import DECLINED_CARD, GOOD_CARD, PASSWORD, SHIP_TO

pytestmark = pytest.mark.django_db
LOGIN = {"username": "ada", "password": PASSWORD}


@pytest.fixture
def browser(customer) -> Client:
    signed_in = Client()
    signed_in.force_login(customer)
    return signed_in


def put_tag(tag: Tag, thing) -> None:
    TaggedItem.objects.create(tag=tag, content_object=thing)


# --- refusals


@pytest.mark.parametrize("path", ["/checkout/", "/orders/", "/orders/1/"])
def test_pages_of_ones_own_ask_to_log_in(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/login/?next={path}")


@pytest.mark.parametrize(
    "path", ["/login/", "/logout/", "/register/", "/cart/add/1/", "/cart/lines/1/", "/checkout/"]
)
def test_no_form_works_without_its_csrf_token(customer, path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(customer)
    assert client.post(path, {}).status_code == 403


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/",
        "/\\evil.example",
        "https://evil.example/",
        "http://testserver/",
        "javascript:alert(1)",
    ],
)
def test_a_login_never_leads_off_the_site(client, customer, target):
    answer = client.post("/login/", LOGIN | {"next": target})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_guessing_passwords_on_the_page_is_throttled_with_the_api(client, customer):
    wrong = {"username": "ada", "password": "wrong"}
    for _ in range(15):
        client.post("/login/", wrong)
        client.post("/api/accounts/login/", wrong, content_type="application/json")
    answer = client.post("/login/", LOGIN)
    assert answer.status_code == 429
    assert b"Too many attempts" in answer.content


def test_the_orders_of_others_are_not_there(client, stranger, browser, product, fill_cart, customer):
    fill_cart(customer, product)
    browser.post("/checkout/", SHIP_TO)
    client.force_login(stranger)
    path = f"/orders/{Order.objects.get().pk}/"
    assert client.get(path).status_code == 404
    assert client.post(path, {"cancel": 1}).status_code == 404


def test_withdrawn_products_have_no_page(client, make_product):
    hidden = make_product(is_active=False)
    assert client.get(f"/products/{hidden.slug}/").status_code == 404
    assert client.post(f"/cart/add/{hidden.pk}/", {"quantity": 1}).status_code == 404
    assert hidden.name not in client.get("/").text


@pytest.mark.parametrize("path", ["/nothing/", "/categories/none/", "/tags/none/", "/?page=99"])
def test_a_page_that_is_not_there_leads_back_to_the_shop(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "Back to the shop" in answer.text


def test_what_people_write_is_never_taken_for_markup(client, make_product):
    product = make_product(name="<script>alert(1)</script>", description="<b>bold</b>")
    for page in (client.get("/"), client.get(f"/products/{product.slug}/"), client.get("/?q=<script>")):
        assert "<script>" not in page.text
        assert "<b>bold" not in page.text


# --- browsing


def test_the_list_is_searched_ordered_and_paged(client, make_product):
    for number in range(25):
        make_product(name=f"Cup {number:02d}", price=number + 1)
    assert client.get("/").text.count("<article") == 24
    assert client.get("/?page=2").text.count("<article") == 1
    assert "1 product " in client.get("/?q=cup+07").text
    names = re.findall(r"<h3>(.*?)</h3>", client.get("/?order=-price").text)
    assert names[0] == "Cup 24"
    assert "Nothing found" in client.get("/?q=%00zzz").text


def test_the_list_costs_the_same_queries_for_any_number(client, make_product, django_assert_num_queries):
    for _ in range(20):
        ProductImage.objects.create(product=make_product(), url="/a.svg")
    with django_assert_num_queries(4):  # count, products, images, categories
        client.get("/")


def test_a_category_shows_what_is_in_those_under_it(client, category, make_product):
    child = Category.objects.create(name="Espresso", slug="espresso", parent=category)
    make_product(name="Small"), make_product(name="Tiny", category=child)
    text = client.get("/categories/cups/").text
    assert "Small" in text
    assert "Tiny" in text
    assert "Small" not in client.get("/categories/espresso/").text


def test_tags_are_put_on_products_and_orders_alike(client, browser, make_product, customer, fill_cart):
    tag = Tag.objects.create(name="Gift", slug="gift")
    tagged, plain = make_product(name="Tagged one"), make_product(name="Plain one")
    fill_cart(customer, plain)
    browser.post("/checkout/", SHIP_TO)
    order = Order.objects.get()
    put_tag(tag, tagged)
    put_tag(tag, order)
    text = client.get("/tags/gift/").text
    assert "Tagged one" in text
    assert "Plain one" not in text
    assert "/tags/gift/" in client.get(f"/products/{tagged.slug}/").text
    assert "Gift" in browser.get(f"/orders/{order.pk}/").text


def test_a_tag_outlives_what_it_was_put_on(product):
    put_tag(Tag.objects.create(name="Gift", slug="gift"), product)
    product.delete()
    [item] = TaggedItem.objects.all()
    assert item.content_type == ContentType.objects.get(app_label="catalog", model="product")
    assert item.content_object is None


def test_a_product_page_shows_everything_about_it(client, make_product):
    product = make_product(stock=3, attributes={"colour": "moss"})
    other, hidden = make_product(name="Saucer"), make_product(name="Secret", is_active=False)
    for related in (other, hidden):
        RelatedProduct.objects.create(from_product=product, to_product=related, kind="accessory")
    Review.objects.create(product=product, author_name="Zoë", rating=5, title="Lovely")
    text = client.get(f"/products/{product.slug}/").text
    for shown in ("9.90", "3 in stock", "moss", "Saucer", "Lovely", "Zoë"):
        assert shown in text
    assert "Secret" not in text


def test_a_sold_out_product_cannot_be_put_in_the_cart_from_its_page(client, make_product):
    text = client.get(f"/products/{make_product(stock=0).slug}/").text
    assert "Sold out" in text
    assert "Add to cart" not in text


def test_bestsellers_are_sold_paid_for_and_still_there(client, browser, customer, make_product, fill_cart):
    best, second, unpaid, gone, withdrawn = (
        make_product(name=name, stock=stock)
        for name, stock in (("Best", 9), ("Second", 9), ("Unpaid", 9), ("Gone", 2), ("Withdrawn", 9))
    )
    for product, quantity, card in (
        *((best, 2, GOOD_CARD), (best, 2, GOOD_CARD), (second, 3, GOOD_CARD)),
        *((unpaid, 9, ""), (gone, 2, GOOD_CARD), (withdrawn, 5, GOOD_CARD)),
    ):
        fill_cart(customer, product, quantity=quantity)
        assert browser.post("/checkout/", SHIP_TO | {"card_number": card}).status_code == 302
    withdrawn.is_active = False
    withdrawn.save()
    text = client.get("/bestsellers/").text
    assert re.findall(r"<h3>(.*?)</h3>", text) == ["Best", "Second"]
    assert "4 sold" in text


# --- buying


def test_a_visitor_fills_a_cart_signs_in_and_buys(customer, product):
    browser = Client()
    assert browser.post(f"/cart/add/{product.pk}/", {"quantity": 2}).headers["Location"] == "/cart/"
    assert "19.80" in browser.get("/cart/").text
    signed_in = browser.post("/login/", LOGIN | {"next": "/checkout/"})
    assert signed_in.headers["Location"] == "/checkout/"
    assert "19.80" in browser.get("/checkout/").text
    bought = browser.post("/checkout/", SHIP_TO | {"card_number": GOOD_CARD}, follow=True)
    assert "Thank you for your order." in bought.text
    assert "card ending in 4242" in bought.text
    assert "Your cart is empty" in browser.get("/cart/").text
    assert "19.80" in browser.get("/orders/").text


def test_a_cart_line_is_changed_removed_and_refused(client, product):
    client.post(f"/cart/add/{product.pk}/", {"quantity": 1})
    path = re.search(r'action="(/cart/lines/\d+/)"', client.get("/cart/").text)[1]
    assert "29.70" in client.post(path, {"quantity": 3}, follow=True).text
    assert "less than or equal to 99" in client.post(path, {"quantity": 100}, follow=True).text
    assert "Your cart is empty" in client.post(path, {"quantity": 0}, follow=True).text
    assert client.post(path, {"quantity": 1}).status_code == 404


def test_refusals_while_filling_a_cart_are_shown(client, make_product):
    euro, franc = make_product(), make_product(currency="CHF")
    client.post(f"/cart/add/{euro.pk}/", {"quantity": 1})
    assert "The cart holds EUR" in client.post(f"/cart/add/{franc.pk}/", {"quantity": 1}, follow=True).text
    assert "Enter a whole number" in client.post(f"/cart/add/{euro.pk}/", {"quantity": "x"}, follow=True).text


def test_a_declined_card_is_said_on_the_page(browser, customer, product, fill_cart):
    fill_cart(customer, product)
    answer = browser.post("/checkout/", SHIP_TO | {"card_number": DECLINED_CARD})
    assert answer.status_code == 200
    assert "The card was declined." in answer.text
    assert not Order.objects.exists()


def test_checkout_offers_the_default_address(browser, customer):
    assert 'value="Ada Lovelace"' in browser.get("/checkout/").text
    customer.addresses.create(**SHIP_TO)
    assert 'value="Berlin"' in browser.get("/checkout/").text


def test_an_open_order_is_paid_and_cancelled_on_its_page(browser, customer, product, fill_cart):
    fill_cart(customer, product)
    page = browser.post("/checkout/", SHIP_TO, follow=True)
    assert "Pay now" in page.text
    path = f"/orders/{Order.objects.get().pk}/"
    assert "Enter 12 to 19 digits." in browser.post(path, {"card_number": "1"}, follow=True).text
    assert "declined" in browser.post(path, {"card_number": DECLINED_CARD}, follow=True).text
    assert "Thank you" in browser.post(path, {"card_number": GOOD_CARD}, follow=True).text
    assert "is cancelled" in browser.post(path, {"cancel": 1}, follow=True).text
    assert "cannot be cancelled" in browser.post(path, {"cancel": 1}, follow=True).text


# --- signing


def test_registering_signs_in_and_logging_out_signs_out():
    browser = Client()
    form = {"username": "new", "email": "n@shop.example", "password1": PASSWORD, "password2": PASSWORD}
    welcome = browser.post("/register/", form, follow=True)
    assert "Log out new" in welcome.text
    assert "Log in" in browser.post("/logout/", follow=True).text
    assert "already exists" in browser.post("/register/", form).text


def test_every_page_has_its_style_and_pictures(client):
    page = client.get(reverse("home")).text
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = client.get(path)
        assert answer.status_code == 200, path
        answer.close()
