"""Addresses of the payments' API."""

from django.urls import path

from shop.payments.api import PaymentsView

urlpatterns = [path("<int:order_id>/", PaymentsView.as_view(), name="payments")]
