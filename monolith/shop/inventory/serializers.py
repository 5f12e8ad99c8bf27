"""The JSON of the inventory."""

from typing import Any

from rest_framework import serializers

from shop.inventory.models import Stock


class StockSerializer(serializers.ModelSerializer):
    """What is on the shelf; staff writes the number they counted."""

    available = serializers.IntegerField(read_only=True)

    class Meta:
        model = Stock
        fields = ["product", "on_hand", "reserved", "available", "updated_at"]
        read_only_fields = ["product", "reserved"]
        extra_kwargs = {"on_hand": {"required": True, "max_value": 2_147_483_647}}

    def validate_on_hand(self, counted: int) -> int:
        if counted < self.instance.reserved:
            raise serializers.ValidationError(f"{self.instance.reserved} are held back for orders.")
        return counted

    def update(self, instance: Stock, validated_data: dict[str, Any]) -> Stock:
        instance.on_hand = validated_data.get("on_hand", instance.on_hand)
        instance.save(update_fields=["on_hand", "updated_at"])
        return instance
