"""Carts in the admin, to look at."""

from django.contrib import admin

from shop.cart.models import Cart, CartLine


class LineInline(admin.TabularInline):
    """The lines of a cart."""

    model = CartLine
    raw_id_fields = ["product"]
    extra = 0


@admin.register(Cart)
class CartAdmin(admin.ModelAdmin):
    """Carts."""

    list_display = ["id", "user", "updated_at"]
    list_select_related = ["user"]
    raw_id_fields = ["user"]
    inlines = [LineInline]
