"""The JSON of carts."""

from rest_framework import serializers

from shop.cart.models import Cart, CartLine
from shop.catalog.models import Product


class CartProductSerializer(serializers.ModelSerializer):
    """A product as a cart names it."""

    class Meta:
        model = Product
        fields = ["id", "name", "slug", "price", "currency"]


class CartLineSerializer(serializers.ModelSerializer):
    """A line as clients read it, and its quantity as they change it."""

    product = CartProductSerializer(read_only=True)
    total = serializers.DecimalField(max_digits=12, decimal_places=2, read_only=True)

    class Meta:
        model = CartLine
        fields = ["id", "product", "quantity", "total"]


class NewLineSerializer(serializers.ModelSerializer):
    """A product to put in the cart; only what is on sale can be."""

    product = serializers.PrimaryKeyRelatedField(queryset=Product.objects.filter(is_active=True))
    quantity = serializers.IntegerField(min_value=1, max_value=99, default=1)

    class Meta:
        model = CartLine
        fields = ["product", "quantity"]


class CartSerializer(serializers.ModelSerializer):
    """A whole cart."""

    lines = CartLineSerializer(many=True, read_only=True)
    total = serializers.DecimalField(max_digits=12, decimal_places=2, read_only=True)
    currency = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = Cart
        fields = ["lines", "total", "currency"]
