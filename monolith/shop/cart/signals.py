"""Keep an anonymous visitor's cart when they sign in."""

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from shop.accounts.models import User
from shop.cart.filling import SESSION_KEY, merge
from shop.cart.models import Cart


# hard: signing in writes the cart's tables, in the middle of the login request
@receiver(user_logged_in)
def adopt_anonymous_cart(request: HttpRequest, user: User, **kwargs: object) -> None:
    """Move the session's cart to the user who just signed in."""
    cart_id = request.session.pop(SESSION_KEY, None)
    anonymous = Cart.objects.filter(pk=cart_id, user=None).first() if cart_id else None
    if anonymous:
        merge(anonymous, Cart.objects.get_or_create(user=user)[0])
