"""Accounts in the admin."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from shop.accounts.models import Address, User

admin.site.register(User, UserAdmin)


@admin.register(Address)
class AddressAdmin(admin.ModelAdmin):
    """Addresses."""

    list_display = ["user", "name", "city", "country"]
    list_select_related = ["user"]
    raw_id_fields = ["user"]
