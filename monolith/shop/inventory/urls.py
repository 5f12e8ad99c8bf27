"""Addresses of the inventory's API."""

from django.urls import re_path

from shop.inventory.api import StockView

# No more digits than a database id has: SQLite's driver fails on larger numbers instead of finding nothing.
urlpatterns = [re_path(r"^(?P<product_id>[0-9]{1,18})/$", StockView.as_view(), name="stock")]
