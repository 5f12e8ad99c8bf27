"""The catalog's JSON: what clients read, and what they may write."""

from typing import Any

from django.core.validators import ProhibitNullCharactersValidator
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from shop.catalog.models import Category, Product, ProductImage, RelatedProduct, Review

STORABLE = (ProhibitNullCharactersValidator(), ProhibitSurrogateCharactersValidator())


def refuse_unstorable_text(value: Any) -> None:
    """Refuse text anywhere in a JSON value that PostgreSQL cannot store, in the words of a plain field."""
    if isinstance(value, str):
        for check in STORABLE:
            check(value)
    if isinstance(value, dict):
        for key, entry in value.items():
            refuse_unstorable_text(key)
            refuse_unstorable_text(entry)
    if isinstance(value, list):
        for entry in value:
            refuse_unstorable_text(entry)


class CategorySerializer(serializers.ModelSerializer):
    """A category with the number of products on sale in it."""

    product_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Category
        fields = ["id", "name", "slug", "parent", "position", "product_count"]


class CategoryLinkSerializer(serializers.ModelSerializer):
    """A category as a product names it."""

    class Meta:
        model = Category
        fields = ["id", "name", "slug"]


class ImageSerializer(serializers.ModelSerializer):
    """A picture of a product."""

    class Meta:
        model = ProductImage
        fields = ["url", "alt", "position"]


class RelatedSerializer(serializers.ModelSerializer):
    """A product beside another one, and why."""

    id = serializers.IntegerField(source="to_product.id")
    name = serializers.CharField(source="to_product.name")
    slug = serializers.SlugField(source="to_product.slug")

    class Meta:
        model = RelatedProduct
        fields = ["id", "name", "slug", "kind"]


class ProductListSerializer(serializers.ModelSerializer):
    """A product as lists show it."""

    category = CategoryLinkSerializer(read_only=True)
    image = serializers.CharField(source="first_image.url", read_only=True, allow_null=True)

    class Meta:
        model = Product
        fields = [
            "id",
            "sku",
            "name",
            "slug",
            "category",
            "price",
            "currency",
            "rating_average",
            "rating_count",
            "image",
            "created_at",
            "updated_at",
        ]


class ProductSerializer(serializers.ModelSerializer):
    """A product in full; the form that staff writes too."""

    category = CategoryLinkSerializer(read_only=True)
    category_id = serializers.PrimaryKeyRelatedField(
        source="category", queryset=Category.objects.all(), write_only=True
    )
    attributes = serializers.JSONField(required=False, validators=[refuse_unstorable_text])
    image = serializers.CharField(source="first_image.url", read_only=True, allow_null=True)
    images = ImageSerializer(many=True, read_only=True)
    related = RelatedSerializer(source="related_links", many=True, read_only=True)

    class Meta:
        model = Product
        fields = [
            *ProductListSerializer.Meta.fields[:5],
            "category_id",
            *ProductListSerializer.Meta.fields[5:],
            "description",
            "weight_kg",
            "attributes",
            "released_on",
            "is_active",
            "images",
            "related",
        ]


class ReviewSerializer(serializers.ModelSerializer):
    """A review; who wrote it comes from the request, never from the client's JSON."""

    class Meta:
        model = Review
        fields = ["id", "product", "author_name", "rating", "title", "body", "created_at", "updated_at"]
        read_only_fields = ["author_name"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a second review of one product by one author, which the table would refuse less kindly."""
        author = self.instance.author if self.instance else self.context["request"].user
        product = attrs.get("product") or self.instance.product
        others = Review.objects.filter(product=product, author=author)
        if author and others.exclude(pk=self.instance and self.instance.pk).exists():
            raise serializers.ValidationError("You have already reviewed this product.")
        return attrs
