"""The orders app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrdersConfig(AppConfig):
    """Orders, and the group of people who may look at all of them."""

    name = "shop.orders"

    def ready(self) -> None:
        from shop.orders.access import make_support_group

        post_migrate.connect(make_support_group, sender=self)
