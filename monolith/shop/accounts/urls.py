"""Addresses of the accounts' API."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from shop.accounts.api import (
    AddressViewSet,
    AvatarView,
    LoginView,
    LogoutView,
    MeView,
    RegisterView,
    TokenView,
)

router = SimpleRouter()
router.register("addresses", AddressViewSet, "address")

urlpatterns = [
    path("register/", RegisterView.as_view(), name="register"),
    path("login/", LoginView.as_view(), name="api-login"),
    path("logout/", LogoutView.as_view(), name="api-logout"),
    path("token/", TokenView.as_view(), name="token"),
    path("me/", MeView.as_view(), name="me"),
    path("avatar/", AvatarView.as_view(), name="avatar"),
    *router.urls,
]
