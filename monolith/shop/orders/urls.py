"""Addresses of the orders' API."""

from rest_framework.routers import SimpleRouter

from shop.orders.api import OrderViewSet

router = SimpleRouter()
router.register("", OrderViewSet, "order")

urlpatterns = router.urls
