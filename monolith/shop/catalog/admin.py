"""The catalog in the admin."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from shop.catalog.models import Category, Product, ProductImage, RelatedProduct, Review


class ImageInline(admin.TabularInline):
    """Pictures, edited with their product."""

    model = ProductImage
    extra = 0


class RelatedInline(admin.TabularInline):
    """Products beside this one."""

    model = RelatedProduct
    fk_name = "from_product"
    autocomplete_fields = ["to_product"]
    extra = 0


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    """Categories."""

    list_display = ["name", "parent", "position"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name"]


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    """Products, and taking many off sale at once."""

    list_display = ["sku", "name", "category", "price", "is_active", "rating_average"]
    list_filter = ["is_active", "category"]
    list_select_related = ["category"]
    search_fields = ["sku", "name"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["rating_average", "rating_count", "created_at", "updated_at"]
    inlines = [ImageInline, RelatedInline]
    actions = ["deactivate"]

    @admin.action(description="Take the selected products off sale", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        # hard: QuerySet.update sends no signal and leaves updated_at as it was
        count = queryset.update(is_active=False)
        self.message_user(request, f"{count} products are off sale.", messages.SUCCESS)


@admin.register(Review)
class ReviewAdmin(admin.ModelAdmin):
    """Reviews."""

    list_display = ["product", "author_name", "rating", "title", "created_at"]
    list_filter = ["rating"]
    list_select_related = ["product"]
    raw_id_fields = ["product", "author"]
