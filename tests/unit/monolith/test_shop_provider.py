"""The payment provider fails on demand, and only then."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pybreaker import STATE_CLOSED, STATE_OPEN
from shop.errors import NotPaid, Unavailable
from shop.payments import provider
from shop.payments.paying import asking_provider, breaker

GOOD_CARD = "4242424242424242"


@pytest.fixture(autouse=True)
def closed_breaker():
    breaker.close()
    yield
    breaker.close()


@pytest.mark.parametrize(
    ("card", "failure"),
    [
        ("4000000000000002", provider.CardDeclined),
        ("4000000000000119", provider.ProviderError),
        ("4000000000000259", provider.ProviderTimeout),
    ],
)
def test_a_test_card_fails_in_its_own_way(card, failure):
    with pytest.raises(failure):
        provider.charge(Decimal(1), "EUR", card)


@pytest.mark.parametrize("name", ["decline", "error", "timeout"])
def test_the_setting_fails_every_card(settings, name):
    settings.PAYMENTS_FAILURE = name
    with pytest.raises((provider.CardDeclined, provider.ProviderError, provider.ProviderTimeout)):
        provider.charge(Decimal(1), "EUR", GOOD_CARD)


def test_every_charge_has_its_own_reference():
    references = {provider.charge(Decimal(1), "EUR", GOOD_CARD) for _ in range(20)}
    assert len(references) == 20


def fail(card: str) -> None:
    with asking_provider():
        provider.charge(Decimal(1), "EUR", card)


def test_five_provider_errors_open_the_breaker():
    for _ in range(5):
        with pytest.raises(Unavailable):
            fail("4000000000000119")
    assert breaker.current_state == STATE_OPEN
    with pytest.raises(Unavailable, match="try again in 30 seconds"):
        fail(GOOD_CARD)


def test_the_breaker_tries_again_after_its_pause(time_machine):
    for _ in range(5):
        with pytest.raises(Unavailable):
            fail("4000000000000259")
    time_machine.move_to(datetime.now(UTC) + timedelta(seconds=31))
    fail(GOOD_CARD)
    assert breaker.current_state == STATE_CLOSED


def test_declined_cards_never_open_the_breaker():
    for _ in range(10):
        with pytest.raises(NotPaid):
            fail("4000000000000002")
    assert breaker.current_state == STATE_CLOSED
