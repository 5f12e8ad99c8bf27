"""Addresses of the catalog's API."""

from rest_framework.routers import SimpleRouter

from shop.catalog.api import CategoryViewSet, ProductViewSet, ReviewViewSet

router = SimpleRouter()
router.register("categories", CategoryViewSet, "category")
router.register("products", ProductViewSet, "product")
router.register("reviews", ReviewViewSet, "review")

urlpatterns = router.urls
