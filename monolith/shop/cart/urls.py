"""Addresses of the cart's API."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from shop.cart.api import CartLineViewSet, CartView

router = SimpleRouter()
router.register("lines", CartLineViewSet, "cart-line")

urlpatterns = [path("", CartView.as_view(), name="cart"), *router.urls]
