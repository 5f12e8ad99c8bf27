"""The catalog app."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Categories, products and reviews."""

    name = "shop.catalog"
