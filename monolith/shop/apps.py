"""The shop as a whole: the home of commands that no single app owns."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """The project itself; it has no tables."""

    name = "shop"
