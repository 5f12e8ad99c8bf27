"""Charge and refund through a circuit breaker, so that a broken provider is not waited for by everybody."""

from collections.abc import Iterator
from contextlib import contextmanager

from pybreaker import CircuitBreaker, CircuitBreakerError

from shop.errors import NotPaid, Unavailable
from shop.orders.models import Order
from shop.payments import provider
from shop.payments.models import Payment

RESET_SECONDS = 30

# One a process. A declined card is an answer and never opens it.
breaker = CircuitBreaker(
    fail_max=5,
    reset_timeout=RESET_SECONDS,
    exclude=[provider.CardDeclined],
    throw_new_error_on_trip=False,
    name="payments",
)


@contextmanager
def asking_provider() -> Iterator[None]:
    """Guard a call of the provider; its failures become refusals that a customer can read."""
    try:
        with breaker.calling():  # never breaker.call: that holds the breaker's lock while the provider works
            yield
    except provider.CardDeclined as error:
        raise NotPaid("The card was declined.") from error
    except (provider.ProviderTimeout, provider.ProviderError) as error:
        raise Unavailable("The payment provider does not answer; nothing was ordered or changed.") from error
    except CircuitBreakerError as error:
        raise Unavailable(
            f"The payment provider fails; try again in {RESET_SECONDS} seconds. Nothing was changed."
        ) from error


def charge(order: Order, card_number: str) -> Payment:
    """Take an order's total from a card. Inside the caller's transaction, as its last step."""
    with asking_provider():
        reference = provider.charge(order.total, order.currency, card_number)
    return Payment.objects.create(
        order=order,
        amount=order.total,
        currency=order.currency,
        reference=reference,
        card_ending=card_number[-4:],
    )


def refund(order: Order) -> None:
    """Give back whatever was taken for an order. Inside the caller's transaction."""
    for payment in order.payments.filter(status=Payment.Status.CAPTURED):
        with asking_provider():
            provider.refund(payment.reference)
        payment.status = Payment.Status.REFUNDED
        payment.save(update_fields=["status", "updated_at"])
