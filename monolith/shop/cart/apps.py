"""The cart app."""

from django.apps import AppConfig


class CartConfig(AppConfig):
    """Carts."""

    name = "shop.cart"

    def ready(self) -> None:
        from shop.cart import signals  # noqa: F401 - connecting the receivers is the effect
