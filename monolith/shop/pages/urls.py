"""Addresses of the storefront."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from shop.pages import browsing, buying, signing

urlpatterns = [
    path("", browsing.ProductListView.as_view(), name="home"),
    path("categories/<slug:slug>/", browsing.CategoryView.as_view(), name="category-page"),
    path("tags/<slug:slug>/", browsing.TagView.as_view(), name="tag-page"),
    path("products/<slug:slug>/", browsing.ProductView.as_view(), name="product-page"),
    path("bestsellers/", browsing.BestsellersView.as_view(), name="bestsellers"),
    path("cart/", buying.CartView.as_view(), name="cart-page"),
    path("cart/add/<int:product_id>/", buying.AddToCartView.as_view(), name="add-to-cart"),
    path("cart/lines/<int:line_id>/", buying.CartLineView.as_view(), name="cart-line-page"),
    path("checkout/", buying.CheckoutView.as_view(), name="checkout"),
    path("orders/", buying.OrdersView.as_view(), name="orders"),
    path("orders/<int:pk>/", buying.OrderView.as_view(), name="order-page"),
    path("login/", signing.SignInView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("register/", signing.RegisterView.as_view(), name="register-page"),
]
