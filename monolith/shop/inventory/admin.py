"""Stock in the admin."""

from django.contrib import admin

from shop.inventory.models import Reservation, Stock


@admin.register(Stock)
class StockAdmin(admin.ModelAdmin):
    """Stock."""

    list_display = ["product", "on_hand", "reserved", "updated_at"]
    list_select_related = ["product"]
    raw_id_fields = ["product"]
    search_fields = ["product__sku", "product__name"]


@admin.register(Reservation)
class ReservationAdmin(admin.ModelAdmin):
    """What is held back."""

    list_display = ["stock", "order", "quantity", "expires_at"]
    list_select_related = ["stock"]
    raw_id_fields = ["stock", "order"]
