"""The pages app."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """The storefront and its tags."""

    name = "shop.pages"
