"""Payments in the admin, to look at."""

from django.contrib import admin

from shop.payments.models import Payment


@admin.register(Payment)
class PaymentAdmin(admin.ModelAdmin):
    """Payments."""

    list_display = ["order", "amount", "currency", "status", "created_at"]
    list_filter = ["status"]
    raw_id_fields = ["order"]
    search_fields = ["reference"]
