"""A shop with nothing in it, and ways to put something in."""

import itertools
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from rest_framework.test import APIClient
from shop.accounts.models import User
from shop.cart.models import Cart
from shop.catalog.models import Category, Product
from shop.inventory.models import Stock
from shop.payments.paying import breaker
from shop_facts import PASSWORD


@pytest.fixture(autouse=True)
def quiet_shop(settings, tmp_path):
    """Hash fast, store files apart, and forget throttles and failures between tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.ALLOWED_HOSTS = ["testserver", "shop.example"]
    cache.clear()
    breaker.close()


@pytest.fixture
def make_user(db):
    def make(username: str, **fields: object) -> User:
        return User.objects.create_user(username, f"{username}@shop.example", PASSWORD, **fields)

    return make


@pytest.fixture
def customer(make_user) -> User:
    return make_user("ada", first_name="Ada", last_name="Lovelace")


@pytest.fixture
def stranger(make_user) -> User:
    return make_user("bob")


@pytest.fixture
def staff(make_user) -> User:
    return make_user("staff", is_staff=True)


@pytest.fixture
def support(make_user) -> User:
    user = make_user("support")
    user.groups.add(Group.objects.get(name="support"))
    return user


@pytest.fixture
def category(db) -> Category:
    return Category.objects.create(name="Cups", slug="cups")


@pytest.fixture
def make_product(category):
    numbers = itertools.count(1)

    def make(*, stock: int = 10, **fields: object) -> Product:
        number = next(numbers)
        defaults = {
            "sku": f"S-{number}",
            "name": f"Cup {number}",
            "slug": f"cup-{number}",
            "category": category,
            "price": Decimal("9.90"),
        }
        product = Product.objects.create(**defaults | fields)
        Stock.objects.filter(product=product).update(on_hand=stock)
        return product

    return make


@pytest.fixture
def product(make_product) -> Product:
    return make_product()


@pytest.fixture
def fill_cart(db):
    def fill(user: User, *products: Product, quantity: int = 1) -> Cart:
        cart, _ = Cart.objects.get_or_create(user=user)
        for product in products:
            cart.lines.create(product=product, quantity=quantity)
        return cart

    return fill


@pytest.fixture
def api(db) -> APIClient:
    """An anonymous client of the API."""
    return APIClient()


@pytest.fixture
def as_user():
    """Make a client that is signed in by session, as a browser is."""

    def client(user: User) -> APIClient:
        signed_in = APIClient()
        signed_in.force_login(user)
        return signed_in

    return client
