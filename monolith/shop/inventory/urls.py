"""Addresses of the inventory's API."""

from django.urls import path

from shop.inventory.api import StockView

urlpatterns = [path("<int:product_id>/", StockView.as_view(), name="stock")]
