"""Invent the people of a shop: staff, support and customers, all with one known password."""

from collections.abc import Iterator
from hashlib import sha256

from django.contrib.auth.hashers import make_password

from shop.accounts.models import Address, User
from shop.seeding.moments import OPENED, dice, moment
from shop.seeding.words import Words

PASSWORD = "strangler"  # noqa: S105 - known on purpose, and printed
STAFF_ID = 1
SUPPORT_ID = 2
FIRST_CUSTOMER_ID = 3


def users(words: Words, customers: int, seed: int) -> Iterator[User]:
    """Yield staff1, support1 and customer1 to customerN. The password is hashed once, for speed."""
    password = make_password(PASSWORD, salt=sha256(f"{seed}".encode()).hexdigest()[:32])
    chance = dice(seed, "users")

    def user(pk: int, username: str, **more: object) -> User:
        return User(
            pk=pk,
            username=username,
            email=f"{username}@shop.example",
            password=password,
            **{"date_joined": moment(chance), **more},
        )

    yield user(STAFF_ID, "staff1", is_staff=True, is_superuser=True, date_joined=OPENED)
    yield user(SUPPORT_ID, "support1", date_joined=OPENED)
    for number in range(1, customers + 1):
        person = words.people[number % len(words.people)]
        name = {"first_name": person.first_name, "last_name": person.last_name} if number % 7 else {}
        yield user(FIRST_CUSTOMER_ID - 1 + number, f"customer{number}", **name)


def addresses(words: Words, customers: int) -> Iterator[Address]:
    """Yield one address for every customer."""
    for number in range(1, customers + 1):
        person = words.people[number % len(words.people)]
        yield Address(
            pk=number,
            user_id=FIRST_CUSTOMER_ID - 1 + number,
            name=f"{person.first_name} {person.last_name}",
            street=person.street,
            postcode=person.postcode,
            city=person.city,
            country=person.country,
            is_default=True,
        )
