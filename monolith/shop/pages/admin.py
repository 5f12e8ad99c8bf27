"""Tags in the admin."""

from django.contrib import admin

from shop.pages.models import Tag, TaggedItem


class ItemInline(admin.TabularInline):
    """What carries a tag."""

    model = TaggedItem
    extra = 0


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    """Tags."""

    list_display = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [ItemInline]
