"""The inventory app."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """Stock and reservations."""

    name = "shop.inventory"

    def ready(self) -> None:
        from shop.inventory import signals  # noqa: F401 - connecting the receivers is the effect
