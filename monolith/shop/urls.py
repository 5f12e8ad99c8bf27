"""Every address of the shop."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny

from shop.accounts.media import avatar
from shop.health import healthz

urlpatterns = [
    path("", include("strangler.django.urls")),  # tells the routing proxy who is signed in
    path("", include("strangler.django.events.urls")),  # hears what services tell
    path("", include("shop.pages.urls")),
    path("healthz", healthz),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="schema"),
    path("api/accounts/", include("shop.accounts.urls")),
    path("api/stock/", include("shop.inventory.urls")),
    path("api/cart/", include("shop.cart.urls")),
    path("api/orders/", include("shop.orders.urls")),
    path("api/payments/", include("shop.payments.urls")),
    path("api/", include("shop.catalog.urls")),
    path("media/avatars/<str:name>", avatar),
]
