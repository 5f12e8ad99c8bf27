"""A payment provider that lives in this process and fails on demand. Moves no money.

It fails by card number, as the real ones do in their test mode, or for everybody by the setting
PAYMENTS_FAILURE (decline, timeout, error).
"""

import uuid
from decimal import Decimal
from enum import StrEnum

from django.conf import settings


class Failure(StrEnum):
    """How a charge can go wrong."""

    DECLINE = "decline"
    TIMEOUT = "timeout"
    ERROR = "error"


class CardDeclined(Exception):
    """The bank said no: an answer, not a fault of the provider."""


class ProviderTimeout(Exception):
    """The provider gave no answer in time; whether it took the money is not known."""


class ProviderError(Exception):
    """The provider answered that it cannot work."""


CARDS = {
    "4000000000000002": Failure.DECLINE,
    "4000000000000119": Failure.ERROR,
    "4000000000000259": Failure.TIMEOUT,
}
ERRORS = {
    Failure.DECLINE: CardDeclined,
    Failure.TIMEOUT: ProviderTimeout,
    Failure.ERROR: ProviderError,
}


def charge(amount: Decimal, currency: str, card_number: str) -> str:
    """Take `amount` from a card and return the provider's reference, or raise one of the three failures."""
    failure = CARDS.get(card_number) or settings.PAYMENTS_FAILURE
    if failure:
        raise ERRORS[Failure(failure)]
    return f"ch_{uuid.uuid4().hex}"


def refund(reference: str) -> None:
    """Give back what was taken under `reference`, or raise ProviderTimeout or ProviderError."""
    if settings.PAYMENTS_FAILURE in (Failure.TIMEOUT, Failure.ERROR):
        raise ERRORS[Failure(settings.PAYMENTS_FAILURE)]
